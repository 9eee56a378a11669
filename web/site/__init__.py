"""What all pages share: the application, forms, languages, security."""
