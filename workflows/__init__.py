"""Workflows as data: one TOML file each. An operator's own versions lie in instance/workflows."""
