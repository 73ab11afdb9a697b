"""What stands in files of others and is a secret: what it is taken for, and where nobody else is to read it."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from shoal.check.confidential import formed, told
from shoal.check.finding import Place
from shoal.check.importing.facts import Argument, Container, Facts, Kept

_OPTION = re.compile(r"--?(?P<name>[A-Za-z][\w.-]*)(?:=(?P<value>.*))?")
_SWITCH = ("no-", "without-", "disable-")
"""How options begin that say that there is none."""


@dataclass(frozen=True)
class Secret:
    """One that stands in a file.

    Attributes:
        what: It is taken for.
        name: Of what holds it: a variable, an option of a command.
        where: The value.
    """

    what: str
    name: str
    where: Place


def secrets(container: Container) -> Iterator[Secret]:
    """List those that a container is told in the file itself."""
    for setting in container.settings:
        if what := told(setting.name, setting.written):
            yield Secret(what, setting.name, setting.where)
    yield from _arguments(container.arguments)


def of_kept(value: Kept) -> str:
    """Say what a value of a map of settings is taken for; empty where it is no secret, or many lines, mostly none."""
    return told(value.key, value.value) if value.kind == "ConfigMap" and "\n" not in value.value else ""


def covered(texts: Mapping[str, str], facts: Facts) -> dict[str, str]:
    """Return files as they may be shown: no character of a secret is readable, and every other one is in its place."""
    found = dict(texts)
    by_file: dict[str, set[Place]] = {}
    for place in _places(facts):
        by_file.setdefault(place.file, set()).add(place)
    for file in by_file.keys() & texts.keys():
        lines = texts[file].split("\n")
        for place in by_file[file]:
            _cover(lines, place)
        found[file] = "\n".join(lines)
    return found


def _places(facts: Facts) -> Iterator[Place]:
    for container in (container for unit in facts.units for container in (*unit.containers, *unit.preparing)):
        yield from (secret.where for secret in secrets(container))
        yield from (setting.where for setting in container.settings if setting.hidden)
    yield from (value.where for value in facts.kept if value.kind == "Secret" or of_kept(value))


def _cover(lines: list[str], place: Place) -> None:
    last = min(max(place.end_line, place.line), len(lines))
    for number in range(place.line, last + 1):
        line = lines[number - 1]
        begin = place.column - 1 if number == place.line else 0
        end = place.end_column - 1 if number == place.end_line else len(line)
        lines[number - 1] = line[:begin] + re.sub(r"\S", "*", line[begin:end]) + line[end:]


def _arguments(arguments: Sequence[Argument]) -> Iterator[Secret]:
    """Find secrets in a command: ``--password=...``, ``--password ...``, and addresses."""
    words = [(word.strip("\"'"), one.where) for one in arguments for word in one.written.split()]
    for word, where in words:
        if what := formed(word):
            yield Secret(what, "command", where)
    for name, value, where in _options(words):
        if not name.startswith(_SWITCH) and not formed(value) and (what := told(name, value)):
            yield Secret(what, f"--{name}", where)


def _options(words: Sequence[tuple[str, Place]]) -> Iterator[tuple[str, str, Place]]:
    """List the options of a command with their values, and where these are."""
    for (word, where), (after, where_after) in pairwise([*words, ("-", Place(""))]):
        option = _OPTION.fullmatch(word)
        if option is not None and option["value"] is not None:
            yield option["name"], option["value"].strip("\"'"), where
        elif option is not None and not after.startswith("-"):
            yield option["name"], after, where_after
