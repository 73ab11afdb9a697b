"""Variables in Compose files: ``${NAME:-default}`` (Compose specification, "Interpolation"), and files of them."""

import re
from collections.abc import Mapping
from typing import NamedTuple

_VARIABLE = re.compile(
    r"\$(?:(?P<dollar>\$)|(?P<plain>[A-Za-z_]\w*)|\{(?P<name>[A-Za-z_]\w*)(?P<how>:?[-?+])?(?P<word>[^{}]*)\})"
)
_LINE = re.compile(r"(?:export\s+)?(?P<name>[A-Za-z_][\w.]*)\s*=(?P<value>.*)")
_QUOTED = re.compile(r"(?P<quote>[\"'])(?P<text>.*?)(?P=quote)(?:\s*#.*)?$")
_ROUNDS = 5
"""How deep defaults may lie within each other."""

LONGEST, WHOLE = 2**12, 2**22
"""Most characters that variables put into a text, and of all that a file of them says.

One that holds others twice, which hold others twice, would be twice as long with every line.
"""

UNKNOWN = "?"
"""What stands for a value that nobody knows; no host and no name has it."""


class Resolved(NamedTuple):
    """A text whose variables have their values."""

    text: str
    known: bool
    """Whether all of them have one."""


def resolved(text: str, variables: Mapping[str, str]) -> Resolved:
    """Put the values of variables into a text.

    Args:
        text: As it is written.
        variables: What is known of the environment: the file ``.env`` beside the file.
    """
    known, put = True, 0

    def value(found: re.Match[str]) -> str:
        nonlocal known, put
        if found["dollar"]:
            return "\0"  # a dollar, which begins no variable in the next round
        name, how, word = found["plain"] or found["name"], found["how"] or "", found["word"] or ""
        said = variables.get(name)
        if "+" in how:
            return word if said else ""
        if said is None or (":" in how and not said):
            if "-" in how:
                return word
            known = False
            return UNKNOWN
        put += len(said)
        if put > LONGEST:
            known = False
            return UNKNOWN
        return said

    for _ in range(_ROUNDS):
        if "$" not in text:
            break
        before, text = text, _VARIABLE.sub(value, text)
        if before == text:
            break
    return Resolved(text.replace("\0", "$"), known)


def without(text: str) -> str:
    """Leave out what variables say, with their defaults, and leave a sign that there are some."""
    for _ in range(_ROUNDS):
        text = _VARIABLE.sub(lambda found: "$$" if found["dollar"] else "$_", text)
    return text


def variables(text: str) -> dict[str, str]:
    """Read a file of variables: ``.env``, or what ``env_file`` names."""
    found: dict[str, str] = {}
    size = 0
    for line in text.splitlines():
        said = _LINE.fullmatch(line.strip())
        if said is None:
            continue
        value = said["value"].strip()
        quoted = _QUOTED.match(value)
        value = quoted["text"] if quoted else re.split(r"\s#", value)[0].rstrip()
        found[said["name"]] = resolved(value, found).text
        size += len(found[said["name"]])
        if size > WHOLE:
            break
    return found
