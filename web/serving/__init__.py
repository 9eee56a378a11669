"""The server of the pages, and the limits of what it takes."""
