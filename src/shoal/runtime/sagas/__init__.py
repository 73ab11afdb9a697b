"""Orchestrated sagas of a running service: a state machine in rows, driven step by step, one commit for each."""
