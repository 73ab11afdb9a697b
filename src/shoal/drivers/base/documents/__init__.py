"""A whole store on an engine that holds documents: what such an engine must do is in `engine.py`, the rest is here."""
