"""Marks, roll calls, the risk watch, imports."""
