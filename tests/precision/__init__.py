"""Systems of others: what is found in them, and how much of that is right; run it with ``python -m``."""
