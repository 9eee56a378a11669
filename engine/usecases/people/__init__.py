"""Signing in, accounts, posts, absences."""
