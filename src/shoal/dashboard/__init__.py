"""What runs here, in a browser: a collector of telemetry, its store, and the pages over both."""
