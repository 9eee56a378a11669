"""The manual under /help, whose texts are in `web/help`."""
