"""The store behind a socket: an asyncio listener, and one connection a client."""
