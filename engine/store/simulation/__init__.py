"""Stores what the scenario player and the demo need in a database."""
