"""The overviews of a class, a school, an area, and an association's needs."""
