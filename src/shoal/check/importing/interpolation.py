"""Variables in Compose files: ``${NAME:-default}`` (Compose specification, "Interpolation"), and files of them."""

import re
from collections.abc import Mapping
from typing import NamedTuple

_VARIABLE = re.compile(
    r"\$(?:(?P<dollar>\$)|(?P<plain>[A-Za-z_]\w*)|\{(?P<name>[A-Za-z_]\w*)(?P<how>:?[-?+])?(?P<word>[^{}]*)\})"
)
_LINE = re.compile(r"^\s*(?:export\s+)?(?P<name>[A-Za-z_][\w.]*)\s*=\s*(?P<value>.*?)\s*$")
_QUOTED = re.compile(r"(?P<quote>[\"'])(?P<text>.*?)(?P=quote)(?:\s*#.*)?$")
_ROUNDS = 5
"""How deep defaults may lie within each other."""


UNKNOWN = "?"
"""What stands for a value that nobody knows; no host and no name has it."""


class Resolved(NamedTuple):
    """A text whose variables have their values."""

    text: str
    known: bool
    """Whether all of them have one."""
    inline: bool
    """Whether none of them was asked for."""


def resolved(text: str, variables: Mapping[str, str]) -> Resolved:
    """Put the values of variables into a text.

    Args:
        text: As it is written.
        variables: What is known of the environment: the file ``.env`` beside the file.
    """
    known = inline = True

    def value(found: re.Match[str]) -> str:
        nonlocal known, inline
        if found["dollar"]:
            return "\0"  # a dollar, which begins no variable in the next round
        inline = False
        name, how, word = found["plain"] or found["name"], found["how"] or "", found["word"] or ""
        said = variables.get(name)
        if "+" in how:
            return word if said else ""
        if said is None or (":" in how and not said):
            if "-" in how:
                return word
            known = False
            return UNKNOWN
        return said

    for _ in range(_ROUNDS):
        if "$" not in text:
            break
        before, text = text, _VARIABLE.sub(value, text)
        if before == text:
            break
    return Resolved(text.replace("\0", "$"), known, inline)


def variables(text: str) -> dict[str, str]:
    """Read a file of variables: ``.env``, or what ``env_file`` names."""
    found: dict[str, str] = {}
    for line in text.splitlines():
        said = _LINE.match(line)
        if said is None:
            continue
        value = said["value"]
        quoted = _QUOTED.match(value)
        value = quoted["text"] if quoted else re.split(r"\s#", value)[0].rstrip()
        found[said["name"]] = resolved(value, found).text
    return found
