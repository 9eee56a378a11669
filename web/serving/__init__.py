"""The server of the pages, and what it takes in."""
