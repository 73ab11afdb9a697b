"""Telemetry of the latest runs, one SQLite file each: one writer, any number of readers."""
