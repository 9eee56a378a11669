"""Scenarios: days as they pass, and what must be true."""
