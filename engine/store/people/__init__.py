"""Accounts, posts, absences, sign-ins, the access log."""
