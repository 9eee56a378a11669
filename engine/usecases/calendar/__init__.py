"""Enters, changes and lifts closures."""
