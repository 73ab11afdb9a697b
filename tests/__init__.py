"""Tests of the framework; folders mirror the package."""
