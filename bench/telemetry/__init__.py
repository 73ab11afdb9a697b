"""B4: what full telemetry costs a small service, and what OpenTelemetry's SDK costs FastAPI."""
