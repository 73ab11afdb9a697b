"""The catalogue and its prices."""
