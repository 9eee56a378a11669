"""What a phone stores, and sends later."""
