"""Real applications on redtool's server: each one's jobs, with workers killed, beside a real Redis."""
