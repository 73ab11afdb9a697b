"""Customers, their passwords and their tokens."""
