"""What an operator does: backup, restore, the files of an installation."""
