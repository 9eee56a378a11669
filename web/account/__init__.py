"""The pages of one's account: sign-in, notices, absences."""
