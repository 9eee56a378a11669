"""Workflow and rules in words; the what-if."""
