"""The pages of cases: work, lists, a case, its forms."""
