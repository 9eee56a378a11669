"""Shows workflow and rules in words, and the what-if."""
