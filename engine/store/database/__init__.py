"""Connects to the database: which one it is, and what is wrong with it."""
