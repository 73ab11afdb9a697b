"""The command line: parse, call, print, exit. The only place that wires everything."""

from shoal.cli.program import main

__all__ = ["main"]
