"""Closures: entered, changed, lifted."""
