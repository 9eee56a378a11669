"""Units imported and merged; cases that follow their pupils."""
