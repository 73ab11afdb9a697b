"""Orders, from placing to their end."""
