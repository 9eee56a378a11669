"""Tries: the scenario player, the what-if, the demo. Nothing below imports it."""
