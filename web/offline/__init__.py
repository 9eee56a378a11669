"""What a phone keeps and sends later."""
