"""How long `shoal check` takes."""
