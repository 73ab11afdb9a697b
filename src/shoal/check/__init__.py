"""Finds the ways in which systems of services go wrong, before they hurt. Pure: what it looks at is handed in."""
