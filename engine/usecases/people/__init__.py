"""Signs people in; changes accounts, posts and absences."""
