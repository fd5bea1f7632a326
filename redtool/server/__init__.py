"""The store behind a socket: a listener with an event loop of its own, and one connection a client."""
