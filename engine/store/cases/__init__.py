"""Stores cases and their events, and reads the lists and pages that show them."""
