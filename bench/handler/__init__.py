"""B3: what a typed, authorised, validated handler costs over a bare ASGI callable, and beside FastAPI."""
