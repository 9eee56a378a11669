"""Rule sets say what happens when nobody acts."""
