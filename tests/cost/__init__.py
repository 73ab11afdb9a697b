"""Tests of what a system costs."""
