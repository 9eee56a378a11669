"""Logs, metrics, health: for the operator."""
