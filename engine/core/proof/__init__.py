"""Shows that what is stored is what happened: digests of rows, the row of a case from its events, checkpoints."""
