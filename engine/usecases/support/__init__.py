"""Lets an association pledge, receive, give, transfer and reverse, and log what was given."""
