"""What those who mean no harm notice of those who do."""
