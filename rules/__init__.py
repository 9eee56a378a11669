"""Escalation rules, calendars and unit trees as data. An operator's own versions lie in instance/rules."""
