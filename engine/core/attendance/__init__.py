"""Finds signals of risk in the attendance marks of a pupil."""
