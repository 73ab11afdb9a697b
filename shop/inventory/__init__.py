"""What lies on the shelves, and for whom."""
