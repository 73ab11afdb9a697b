"""What `shoal fit` needs to know: git's history, what a run has seen, what a month costs."""

import re
import time
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import click

from shoal.cli.git import git
from shoal.errors import HostError

if TYPE_CHECKING:
    from shoal.check.fit.evidence import Commit, History, Money, Run
    from shoal.check.subject import Subject
    from shoal.cli.program import Global

_SPAN = re.compile(r"([1-9]\d{0,3})(d|w|mo|y)")
_DAYS = {"d": 1, "w": 7, "mo": 30, "y": 365}
_WORDS = {"d": "day", "w": "week", "mo": "month", "y": "year"}
_DAY = 86_400
_HEAD = re.compile(r"([0-9a-f]{40,64}) (\d+) ([0-9a-f ]*)\x1f(.*)")


def span(text: str) -> tuple[int, str]:
    """Read ``90d``, ``26w``, ``6mo`` or ``1y`` into days and words, or raise `click.BadParameter`."""
    match = _SPAN.fullmatch(text)
    if match is None:
        raise click.BadParameter(f"{text!r} is no span of time such as 90d, 26w, 6mo or 1y", param_hint="--since")
    number, unit = int(match[1]), match[2]
    return number * _DAYS[unit], f"{number} {_WORDS[unit]}{'s' * (number > 1)}"


def history(folder: Path, since: str) -> "History":
    """Ask git who changed what in a folder.

    Merges and authors who say that they are programs (``[bot]``) do not count. Authors are numbered, and not named.

    Raises:
        HostError: There is no git, no repository, or no commit.
        click.BadParameter: `since` is no span of time.
    """
    from shoal.check.fit.evidence import History

    days, words = span(since)
    now = int(time.time())
    shallow = git(folder, "rev-parse", "--is-shallow-repository").strip() == "true"
    form = "--format=%x1e%H %ct %P%x1f%aE"
    options = ("--no-merges", "--relative", "--name-only", "--no-renames", "--no-ext-diff", "-z", form)
    text = git(folder, "log", f"--since=@{now - days * _DAY}", *options, "--", ".")
    begun = [int(line) for line in git(folder, "log", "--max-parents=0", "--format=%ct").split()]
    age = None if shallow or not begun else max(0, (now - min(begun)) // _DAY)
    return History(since=words, days=days, commits=tuple(_commits(text)), age=age, shallow=shallow)


def _commits(text: str) -> "list[Commit]":
    from shoal.check.fit.evidence import Commit

    numbers: dict[str, str] = {}
    found = []
    for chunk in text.split("\x1e")[1:]:
        head, *paths = chunk.split("\0")
        match = _HEAD.fullmatch(head.strip("\n"))
        if match is None or "[bot]" in match[4]:
            continue
        author = numbers.setdefault(match[4].lower(), str(len(numbers)))
        named = tuple(path for path in (each.lstrip("\n") for each in paths) if path)
        found.append(Commit(author=author, day=int(match[2]) // _DAY, paths=named, first=not match[3].strip()))
    return found


def homes(subject: "Subject") -> Mapping[str, str]:
    """Say which folder is of which service alone, or which file, where services share a folder."""
    from shoal.deploy.affected import places

    files = {module.name: module.shown for module in subject.source.modules}
    entries = {one.name: files.get(one.entry.partition(":")[0], "") for one in subject.system.services}
    system = files.get(subject.entry.partition(":")[0], "")
    taken = [*entries.values(), system]
    alone = {name: file for name, file in entries.items() if file and taken.count(file) == 1}
    return {**alone, **places.homes(entries, system)}


def run(context: "Global", number: int | None) -> "Run | None":
    """Read what a run has seen: the newest, where none is named and there is one.

    Raises:
        HostError: There is no such run.
    """
    from shoal.check.fit.measured import measured
    from shoal.dashboard.store import runs
    from shoal.dashboard.store.reading import database, seen

    folder = runs.folder_of(context.root)
    if number is None and not runs.numbers(folder):
        return None
    file = runs.find(folder, number or 0)
    with database(file) as opened:
        return measured(seen(opened, f"run {runs.number_of(file)}"))


def money(context: "Global", subject: "Subject", target: str, region: str) -> "Money | None":
    """Price what services cost at a place, asked or not; None where no place is named.

    Raises:
        DeclarationError: The place or its prices are not known.
    """
    from shoal.check.fit.evidence import Money
    from shoal.cli.costing import clouds, tables, usage
    from shoal.cost.bill import bill
    from shoal.cost.month import Month

    if not target:
        if region:
            raise click.UsageError("--region is one of a cloud: name it, --target aws")
        return None
    cloud, environment = clouds.place(context.root, target, region)
    plan = cloud.plan(subject.system, environment)
    month = Month(plan, usage.used(context, "", None, None).fitting(plan))
    table = tables.prices(context.root, None, cloud.name, environment.region)
    estimate = bill(cloud, cloud.resources(plan, environment), month, table).estimate
    fixed: dict[str, float] = {}
    for line in estimate.lines:
        if line.cost is not None and line.item.service and not line.item.by_use:
            fixed[line.item.service] = fixed.get(line.item.service, 0.0) + float(line.cost.expected)
    return Money(
        where=f"{cloud.name} in {environment.region}", unit=table.currency, fixed=fixed, unpriced=len(estimate.unknown)
    )


def known(folder: Path, since: str) -> "tuple[History | None, str]":
    """Ask git, and say why nothing is known where it does not answer."""
    try:
        return history(folder, since), ""
    except HostError as error:
        return None, error.message
