"""The pages of one's own account: signing in, notices, absences."""
