"""The command `ralop`."""
