"""Kill, freeze and wind back every part of the running shop while orders keep coming, then audit it.

``python -m tests.torture`` (``make torture``) runs the long form and writes `docs/torture.md`; ``tests/live`` runs a
short form of the same code with every test run.
"""
