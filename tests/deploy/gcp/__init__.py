"""Tests of what is written for AWS."""
