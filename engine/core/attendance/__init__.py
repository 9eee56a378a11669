"""What marks of attendance say: signals of risk."""
