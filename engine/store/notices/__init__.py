"""Notices and their deliveries."""
