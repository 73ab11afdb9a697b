"""What the pages ask for: a file for each topic, which exports `ROUTES`."""
