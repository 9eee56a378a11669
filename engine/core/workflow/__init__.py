"""Workflows: states, transitions, forms."""
