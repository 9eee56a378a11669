"""Pages of roll calls, imports, and what the risk watch found."""
