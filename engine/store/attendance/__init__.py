"""Stores marks, roll calls, what the risk watch found, and imports."""
