"""What a service keeps as objects: kinds of them, each with its limits."""

import re

from shoal.errors import DeclarationError
from shoal.model import catalog
from shoal.model.data import Data

LARGEST = 5000 * 1024**2
"""Bytes that every engine takes from a client by one request."""

_NAME = re.compile(r"[a-z][a-z0-9-]{0,39}")
_TYPE = re.compile(r"[a-z0-9][a-z0-9!#$&^_.+-]*/[a-z0-9][a-z0-9!#$&^_.+-]*")


class ObjectKind(Data, frozen=True, kw_only=True):
    """Objects of one kind: what may be in them, and how much."""

    name: str
    """How their names begin."""
    largest: int
    """Bytes."""
    types: tuple[str, ...] = ()
    """Media types that they may have; any when there is none."""
    source: str = ""

    def __post_init__(self) -> None:
        """Refuse what some engine would not take, and limits that are none."""
        problem, hint = "", ""
        if not _NAME.fullmatch(self.name):
            problem, hint = "have no name that every engine takes", "use lower-case letters, digits and '-', at most 40"
        elif not 0 < self.largest <= LARGEST:
            problem, hint = f"cannot have {self.largest} bytes", f"use 1 to {LARGEST:,}, which is 5,000 MiB"
        for type_ in self.types:
            if not _TYPE.fullmatch(type_):
                problem, hint = f"cannot be {type_!r}", "name media types in full and in lower case, such as image/png"
        if problem:
            raise DeclarationError(f"objects {self.name!r} {problem}", hint=hint, where=self.source)


class ObjectsUse(Data, frozen=True, kw_only=True):
    """Where a service's objects are, and which there are."""

    engine: str = "folder"
    production: str = ""
    """Engine that they are meant for, where that is another one than on a laptop."""
    kinds: tuple[ObjectKind, ...] = ()
    why: str = ""
    """Why that engine suits it."""

    def __post_init__(self) -> None:
        """Refuse engines that nobody knows, and names twice."""
        for engine in filter(None, (self.engine, self.production)):
            catalog.engine(engine, kind="objects")
        names = [kind.name for kind in self.kinds]
        for kind in self.kinds:
            if names.count(kind.name) > 1:
                raise DeclarationError(
                    f"two kinds of objects are called {kind.name}", hint="rename one of them", where=kind.source
                )


class ObjectsPlan(Data, frozen=True, kw_only=True):
    """Where the objects of a service are on a target, opened by a user that may open no others."""

    engine: str
    user: str
    bucket: str
