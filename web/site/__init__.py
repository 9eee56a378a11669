"""What every page shares: the application, forms, languages, security."""
