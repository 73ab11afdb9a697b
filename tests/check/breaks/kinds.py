"""What somebody does to a system, what is found of it, and what they do then."""

from typing import NamedTuple

from msgspec import Struct


class Edit(NamedTuple):
    """One piece of one file that becomes another; a file that was not there before becomes all of it."""

    file: str
    before: str
    after: str


class Found(NamedTuple):
    """One finding: its place is the only line with this text."""

    code: str
    file: str
    line: str
    message: str
    help: str


class Break(Struct, frozen=True, kw_only=True):
    """One mistake, and its remedy, which builds on it."""

    name: str
    edits: tuple[Edit, ...]
    found: tuple[Found, ...]
    remedy: tuple[Edit, ...]
