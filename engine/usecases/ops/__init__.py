"""What an operator does: backup, restore, files of the installation."""
