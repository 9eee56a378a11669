"""The overviews of a class, a school, an area, an association's needs."""
