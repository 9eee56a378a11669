"""A case: its facts, what people do with it, what becomes of it, and its history in words."""
