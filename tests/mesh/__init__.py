"""Tests of the mesh: pure ones, goldens, and live ones with the real Envoy."""
