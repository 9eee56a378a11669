"""Imports and merges units; moves cases along with their pupils."""
