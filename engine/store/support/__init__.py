"""Stores the ledger of support; the database itself guards that nothing goes below zero."""
