"""Units, their mergers, and the overviews of them."""
