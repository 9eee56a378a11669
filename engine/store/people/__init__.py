"""Stores accounts, posts, absences, sign-ins and the access log."""
