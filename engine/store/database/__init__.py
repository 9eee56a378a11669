"""The database itself: which one it is, what is wrong with it."""
