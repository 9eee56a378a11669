"""Roll calls, imports, what the risk watch proposes."""
