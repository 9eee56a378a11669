"""Stores units and their mergers, and reads the overviews of them."""
