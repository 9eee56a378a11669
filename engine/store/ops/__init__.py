"""Stores settings, definitions, leases, the state of workers, and the schema itself."""
