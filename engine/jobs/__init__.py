"""Jobs: what the worker does by itself."""
