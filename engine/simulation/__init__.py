"""Simulates: the scenario player, the what-if, the demo. Lower floors do not import it."""
