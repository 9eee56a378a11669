"""A case: its facts, what people do with it, how it ends, and its history in words."""
