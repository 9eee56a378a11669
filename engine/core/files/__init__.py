"""Reads the files that schools already have: lists of pupils and registers, in Excel and csv."""
