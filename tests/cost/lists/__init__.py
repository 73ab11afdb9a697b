"""Price lists: what is found in them, and what is asked."""
