"""What templates know beside Django's own."""
