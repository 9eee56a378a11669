"""Runs: what the worker does while nobody looks."""
