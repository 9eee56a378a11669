"""Rule sets: what happens when nobody acts."""
