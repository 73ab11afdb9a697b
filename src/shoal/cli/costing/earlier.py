"""What a month cost before a change: an earlier estimate, or that of a revision of git."""

import json
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from shoal.cli.costing import tables
from shoal.cli.costing.files import text
from shoal.cli.program import Global
from shoal.errors import DeclarationError

if TYPE_CHECKING:
    from shoal.cost.changes import Changes
    from shoal.cost.estimate import Estimate
    from shoal.cost.prices import Table
    from shoal.cost.usage import Usage


def changed_since(context: Global, found: "Estimate", usage: "Usage", wish: Mapping[str, Any]) -> "Changes":
    """Compare a bill with an earlier one.

    Args:
        context: The project.
        found: The bill.
        usage: How much the system is used, before as now.
        wish: Options of the command, of which ``before`` says what to compare with.

    Raises:
        DeclarationError: There is no such estimate or revision, or it has none.
    """
    from shoal.cost.changes import changes

    before = wish["before"]
    if (context.root / before).exists():
        earlier = text(context.root, Path(before), "before.json")
    else:
        earlier = _of(context, before, usage, wish, found.table)
    try:
        return changes(before, json.loads(earlier), found)
    except ValueError as error:
        raise DeclarationError(
            f"{before} is no earlier estimate", hint="write one: shoal cost -o json > before.json"
        ) from error


def _of(context: Global, revision: str, usage: "Usage", wish: Mapping[str, Any], table: "Table") -> str:
    """Estimate what a revision costs in a process of its own, since its modules have the names of ours."""
    from shoal.cli.checkout import checkout
    from shoal.cost.usage import written
    from shoal.local.layout import layout_of

    place = checkout(context.root, revision, layout_of(context.root).home)
    words = ["cost", "-o", "json"]
    words += [word for name in ("target", "region") for one in wish[f"{name}s"] for word in (f"--{name}", one)]
    own = tables.place(table.provider, table.region)
    file = wish["prices_file"] or (own if (context.root / own).is_file() else None)
    if file is not None:
        words += ["--prices", str((context.root / file).resolve())]
    system = ["--system", context.system] if context.system else []
    with tempfile.TemporaryDirectory(prefix="shoal-cost-") as folder:
        file = Path(folder, "usage.toml")
        file.write_text(written(usage), "utf-8")
        ended = subprocess.run(  # noqa: S603 - our own interpreter
            [*(sys.executable, "-m", "shoal.cli", "-C", str(place)), *system, *words, "--usage", str(file)],
            capture_output=True,
            text=True,
            check=False,
        )
    if ended.returncode:
        raise DeclarationError(
            f"{revision} has no estimate: {_why(ended.stderr)}", hint="compare with a file: -o json > before.json"
        )
    return ended.stdout


def _why(said: str) -> str:
    """Find the reason in what a process said last."""
    lines = said.strip().splitlines() or ["it ended without a word"]
    return next((line.removeprefix("error: ") for line in lines if line.startswith("error: ")), lines[-1])
