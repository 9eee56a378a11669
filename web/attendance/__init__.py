"""Roll call, imports, what the risk watch found."""
