"""Talks to Valkey over its own protocol."""
