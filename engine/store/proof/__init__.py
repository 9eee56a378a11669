"""Reads what `engine.core.proof` checks, and keeps checkpoints."""
