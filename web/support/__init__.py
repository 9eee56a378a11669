"""The pages of an association: needs, gifts, funds, statements."""
