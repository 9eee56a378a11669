"""Decides who may see and do what, and who answers for a case."""
