"""How many spans a second the dashboard takes, and how soon it finds a trace among a million of them."""
