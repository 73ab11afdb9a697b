"""Answers kept beside a service, and how events end them in every replica."""
