"""Reads the files that schools already have: lists of pupils and registers, as Excel and csv files really are."""
