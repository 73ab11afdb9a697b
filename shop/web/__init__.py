"""What the shop's pages are told."""
