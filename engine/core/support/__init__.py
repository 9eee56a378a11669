"""What was needed, what was given and from whose hand: the catalogue, the ledger's decisions, needs, books."""
