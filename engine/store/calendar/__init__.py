"""Stores closures: days without class for a unit or a pupil."""
