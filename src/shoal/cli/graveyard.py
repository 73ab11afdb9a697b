"""Dead letters for people: tables, one letter, and what handling it would do."""

import sys
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click
import msgspec

from shoal.cli.output import colourful, harmless, print_table, style
from shoal.runtime.consuming.graves import Grave, editable

if TYPE_CHECKING:
    from shoal.runtime.consuming.rehearsal import Change, Rehearsal

_MINUTE, _HOUR, _DAY = 60, 3600, 86_400
_SHOWN = 12
"""Rows that a dry run shows."""


def show_list(letters: Iterable[Grave]) -> None:
    """Print one line for each letter."""
    rows = [
        (
            g.id,
            g.letter.type or "-",
            g.letter.key or "-",
            _age(g.letter.at),
            str(g.letter.attempts),
            _mark(g),
            g.letter.error[:70],
        )
        for g in letters
    ]
    print_table(("ID", "EVENT", "KEY", "AGE", "ATTEMPTS", "", "ERROR"), rows)


def show_one(grave: Grave) -> None:
    """Print all that is known of a letter."""
    letter = grave.letter
    _say(style(f"{grave.id}  {letter.type or 'no event'}", sys.stdout, bold=True))
    _fields(
        error=style(letter.error, sys.stdout, fg="red"), key=letter.key, event=letter.event, message=letter.message,
        consumer=letter.consumer, origin=f"{letter.stream} at {letter.sequence}, subject {letter.subject}",
        made=_spell(letter.made), given_up=f"{_spell(letter.at)} after {letter.attempts} attempts",
        sent_again=f"{letter.again} times" if letter.again else "", trace=_trace(letter.trace),
        edited="yes, its first data is kept" if letter.original is not None else "",
    )  # fmt: skip
    headers = {k: v for k, v in grave.message.headers.items() if not k.startswith("Shoal-")} | dict(letter.headers)
    if headers:
        _section("headers", (f"{name}: {value}" for name, value in sorted(headers.items())))
    _section("data", _pretty(editable(grave)).splitlines())
    if letter.stack:
        _section("stack", letter.stack)
    if letter.history:
        _section("history", (f"{_spell(one.at)}  replica {one.replica}  {one.error}" for one in letter.history))


def show_rehearsal(grave: Grave, found: "Rehearsal") -> None:
    """Print what handling a letter would do."""
    _say(_verdict(grave, found))
    if found.where:
        _say(f"  at {found.where}")
    for change in found.changes[:_SHOWN]:
        for line in _change(change):
            _say(f"  {line}")
    if len(found.changes) > _SHOWN:
        _say(f"  … and {len(found.changes) - _SHOWN} more rows")
    for text in found.statements:
        _say(f"  runs SQL, whose rows are not shown: {text[:200]}")
    for event in found.announced:
        _say(f"  announces {event.type} {event.key} {bytes(event.data).decode()[:200]}")


def _verdict(grave: Grave, found: "Rehearsal") -> str:
    """Say in a line how it would end."""
    if found.already:
        return f"{grave.id}  nothing would happen: the inbox says that this event was handled"
    if found.error and not found.handler:
        return f"{grave.id}  {style(f'cannot be handled: {found.error}', sys.stdout, fg='red')}"
    end, colour = "succeed", "green"
    if found.error:
        end, colour = f"fail: {found.error}", "red"
    elif found.withheld:
        end, colour = f"go outside, which a dry run does not: {found.withheld}", "yellow"
    return f"{grave.id}  {found.handler} would {style(end, sys.stdout, fg=colour)}"


def pretty(grave: Grave) -> str:
    """Write what of a letter is to be edited."""
    return _pretty(editable(grave)) + "\n"


def _change(change: "Change") -> Iterable[str]:
    before, after = change.before, change.after
    verb, colour = (
        ("inserts", "green") if before is None else ("deletes", "red") if after is None else ("updates", "yellow")
    )
    if before == after:
        return
    yield f"{style(verb, sys.stdout, fg=colour)} {change.table} {change.key}"
    for column in [*(after or before or {})]:
        old, new = (before or {}).get(column), (after or {}).get(column)
        if before is None or after is None:
            yield f"    {column}: {new if before is None else old}"
        elif old != new:
            yield f"    {column}: {old} → {new}"


def _fields(**values: str) -> None:
    for name, value in values.items():
        if value:
            _say(f"  {name.replace('_', ' '):<10} {value}")


def _say(text: str) -> None:
    """Print a text in which there may be anybody's words."""
    click.echo(harmless(text), color=colourful(sys.stdout))


def _section(name: str, lines: Iterable[str]) -> None:
    _say(f"\n  {name}")
    for line in lines:
        _say(f"    {line}")


def _pretty(data: bytes) -> str:
    try:
        return msgspec.json.format(data, indent=2).decode()
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return data.decode("utf-8", "backslashreplace")


def _mark(grave: Grave) -> str:
    marks = (["edited"] if grave.letter.original is not None else []) + (["again"] if grave.letter.again else [])
    return " ".join(marks)


def _age(at: datetime) -> str:
    seconds = max(0.0, (datetime.now(UTC) - at).total_seconds())
    for size, unit in ((_DAY, "d"), (_HOUR, "h"), (_MINUTE, "m")):
        if seconds >= size:
            return f"{seconds / size:.0f}{unit}"
    return f"{seconds:.0f}s"


def _trace(parent: str) -> str:
    """Take the trace's id out of a ``traceparent``."""
    _, _, rest = parent.partition("-")
    return rest.partition("-")[0]


def _spell(time: datetime | None) -> str:
    return "" if time is None else time.astimezone().isoformat(" ", "seconds")
