"""Settings, definitions, leases, health, the schema."""
