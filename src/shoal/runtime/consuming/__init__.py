"""Hand events to their handlers, in the order of their keys: effect and inbox mark commit together.

`loop` waits for the right to work off one durable consumer and serves a `tenure` with it: a `feed` fills the `hand`
with what the broker delivers, `work` handles what is ready of it, `burial` writes the letters of what was given up.
"""
