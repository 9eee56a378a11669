"""Scenarios: invented days, step by step, and what must be true after each step."""
