"""The pages of cases: my work, lists, a case, its forms."""
