"""Closures and the school year."""
