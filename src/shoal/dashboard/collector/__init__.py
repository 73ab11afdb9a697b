"""Takes telemetry in OpenTelemetry's protocol, and the gateway's access log, and hands both to the store."""
