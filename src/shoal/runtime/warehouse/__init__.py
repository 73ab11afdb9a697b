"""Facts on their way into a warehouse, and reports out of it."""
