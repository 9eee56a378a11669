"""Decides: workflow, rules, calendar, responsibility. Pure: no database, no network, no clock."""
