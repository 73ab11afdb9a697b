"""Run the tables against a gateway that runs somewhere, or the inventory of any system against its gateway.

``python -m tests.conformance.edge --base http://127.0.0.1:8000 --tokens tokens.json`` wants the sample system there,
each of its services answering with what it saw (`sample`). With ``--system module:attribute`` only the inventory of
that system is checked. `tokens.json` is an object: kind of token or key → the token or key; rows
for which one is missing are left out, and so are those for another scheme than that of the base URL.
"""

import argparse
import asyncio
import importlib
import json
import sys
from pathlib import Path

from shoal.model.system import System
from shoal.service.describe import describe
from tests.conformance.edge.client import sender
from tests.conformance.edge.runner import Send, Tokens, cases, inventory, run
from tests.conformance.edge.sample import SAMPLE
from tests.conformance.edge.table import Row, tables


def main() -> int:
    """Run the rows and print each that differs; return 1 when one does."""
    parser = argparse.ArgumentParser(prog="python -m tests.conformance.edge", description=__doc__)
    parser.add_argument("--base", required=True, help="base URL of the gateway")
    parser.add_argument("--system", default="", help="module:attribute of a system: check its inventory only")
    parser.add_argument("--tokens", type=Path, help="file with tokens by kind")
    parser.add_argument("--authority", type=Path, help="file of the authority (PEM) of an https base")
    given = parser.parse_args()
    chosen = [inventory(_system(given.system))] if given.system else [*tables(), inventory(SAMPLE)]
    tokens: Tokens = json.loads(given.tokens.read_text("utf-8")) if given.tokens else {}
    rows = [(name, row) for name, row in cases(chosen) if row.holds(given.base, tokens)]
    send = sender(given.base, given.authority.read_text("utf-8") if given.authority else "")
    differing = asyncio.run(_all(rows, send, tokens, echoes=not given.system))
    sys.stdout.write(f"{len(rows)} rows, {differing} differ\n")
    return 1 if differing else 0


def _system(name: str) -> System:
    module, _, attribute = name.partition(":")
    found = getattr(importlib.import_module(module), attribute)
    return found if isinstance(found, System) else describe(found)


async def _all(rows: list[tuple[str, Row]], send: Send, tokens: Tokens, *, echoes: bool) -> int:
    differing = 0
    for name, row in rows:
        found = await run(row if echoes else row.reached(), send, tokens)
        differing += bool(found)
        sys.stdout.write("".join(f"{name}: {each}\n" for each in found))
    return differing


if __name__ == "__main__":
    sys.exit(main())
