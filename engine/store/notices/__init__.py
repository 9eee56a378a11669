"""Stores notices and their deliveries."""
