"""How long manifests take to be written, and how that grows."""
