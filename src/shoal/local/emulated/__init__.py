"""What runs inside the environment of another program, and imports nothing of Shoal."""
