"""Tests of what tests are written with."""
