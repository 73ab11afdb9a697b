"""What lies where a system is deployed from: files that a command has written, and what environments cost."""

import contextlib
import importlib
import io
import shlex
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import click
import msgspec

from shoal import files
from shoal.check.placed import Bill, Changed, Deployed, Placed
from shoal.check.targets import FOLDER, Target, targets
from shoal.cli.costing import clouds, tables, usage
from shoal.cli.program import Global
from shoal.errors import ShoalError
from shoal.files import Entry
from shoal.model.system import System
from shoal.operating.where import Where

MAKER = "shoal deploy "
"""How the commands begin that write files for a target."""

PATTERNS = (files.MANIFEST, f"*/{files.MANIFEST}", f"*/*/{files.MANIFEST}")
"""Where their folders lie."""

USAGE = "usage.toml"


def gather(where: Where) -> Placed:
    """Compare what lies below a project with what would be written today, and count what its environments cost."""
    context = Global(root=where.root, system=where.system, verbosity=-1)
    return Placed(deployed=tuple(_deployed(context)), bills=tuple(_bills(context)))


def _deployed(context: Global) -> Iterator[Deployed]:
    for file in sorted(file for pattern in PATTERNS for file in context.root.glob(pattern)):
        folder = file.parent.relative_to(context.root)
        maker, words = files.written_by(file.parent)
        if maker.startswith(MAKER) and not any(part.startswith(".") for part in folder.parts):
            yield _compared(context, folder, maker.removeprefix(MAKER), words)


def _compared(context: Global, folder: Path, name: str, words: str) -> Deployed:
    """Let the command compare that has written a folder."""
    place = folder.as_posix()
    command = f"{MAKER}{name} --out {place}{f' {words}' if words else ''}"
    arguments = [*shlex.split(words), "--out", place, "--check", "-o", "json"]
    said = io.StringIO()
    try:
        with contextlib.redirect_stdout(said), contextlib.redirect_stderr(io.StringIO()):
            group = importlib.import_module("shoal.cli.commands.deploy").command
            group.main(args=[name, *arguments], prog_name="shoal deploy", standalone_mode=False, obj=context)
        entries = msgspec.json.decode(said.getvalue(), type=tuple[Entry, ...])
    except (ShoalError, click.ClickException, msgspec.DecodeError) as error:
        problem = error.message if isinstance(error, (ShoalError, click.ClickException)) else "nothing was compared"
        return Deployed(folder=place, command=command, problem=problem.splitlines()[0])
    changes = tuple(Changed(path=one.path, change=one.change) for one in entries if one.change != "same")
    return Deployed(folder=place, command=command, changes=changes)


def _bills(context: Global) -> Iterator[Bill]:
    """Count what every environment costs that has a budget, on the cloud after which its file is called."""
    from shoal.operating import project

    texts = {f"{FOLDER}{file.name}": _text(file) for file in sorted((context.root / FOLDER).glob("*.toml"))}
    for target in targets(texts):
        budget = target.said.get("budget", 0)
        if target.cloud and isinstance(budget, int) and budget > 0:
            try:
                expected, high = _counted(context, target, project.read(context))
            except ShoalError as error:
                problem = error.message.splitlines()[0]
                yield Bill(target=target.path, name=target.name, budget=budget, problem=problem)
            else:
                assumed = not (context.root / USAGE).is_file()
                yield Bill(
                    target=target.path, name=target.name, budget=budget, expected=float(expected), high=float(high),
                    assumed=assumed,
                )  # fmt: skip


def _counted(context: Global, target: Target, system: System) -> tuple[Decimal, Decimal]:
    from shoal.cost.estimate import priced
    from shoal.cost.month import Month

    cloud, environment = clouds.place(context.root, target.path)
    plan = cloud.plan(system, environment)
    used = usage.used(context, USAGE if (context.root / USAGE).is_file() else "", None, None)
    month = Month(plan, used.fitting(plan))
    table = tables.prices(context.root, None, cloud.name, environment.region)
    total = priced(cloud.items(cloud.resources(plan, environment), month), table).total
    return total.expected, total.high


def _text(file: Path) -> str:
    return file.read_text("utf-8", errors="replace")
