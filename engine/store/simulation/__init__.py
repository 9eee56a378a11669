"""What the scenario player and the demo put into a database."""
