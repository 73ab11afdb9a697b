"""What the shop's app is told."""
