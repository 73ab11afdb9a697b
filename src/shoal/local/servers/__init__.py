"""How the server of each engine is a part of a run: its ports, its recipe, its addresses, its users' rights."""
