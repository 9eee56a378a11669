"""Pages of closures and the school year."""
