"""Indexes of words over a service's records: kept up with what commits, and asked."""
