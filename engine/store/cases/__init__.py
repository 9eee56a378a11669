"""Cases, their events, and the lists and pages that show them."""
