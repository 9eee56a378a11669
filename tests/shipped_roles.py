"""The shipped role files, for tests that need what roles may do or what they are called."""

from pathlib import Path

from web.site.read_roles import read_roles

ROLES = read_roles(Path(__file__).parent / "no_instance")
TREE = ROLES.tree(district=False)  # of 2026
LABELS = ROLES.labels
