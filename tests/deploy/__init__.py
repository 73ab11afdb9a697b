"""What is written for platforms."""
