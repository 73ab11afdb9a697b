"""What parts make: objects in files, entries of kustomizations, and texts. Pure data."""

from typing import Literal

import msgspec

from shoal.deploy.yaml import Json


class Thing(msgspec.Struct, frozen=True, kw_only=True):
    """One object, the line that declared it, and why it is there."""

    body: Json
    source: str = ""
    why: str = ""


class Sheet(msgspec.Struct, frozen=True, kw_only=True):
    """One file of objects; its folder's kustomization lists it."""

    path: str
    things: tuple[Thing, ...]


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """One entry of the kustomization of a folder."""

    folder: str
    field: Literal[
        "resources", "components", "images", "patches", "replacements", "configMapGenerator", "generatorOptions",
        "namespace", "labels",
    ]  # fmt: skip
    value: object


class Text(msgspec.Struct, frozen=True, kw_only=True):
    """A file that is no object, such as a list of variables."""

    path: str
    text: str


Made = Sheet | Entry | Text


def sheet(path: str, body: Json, *, source: str = "", why: str = "") -> Sheet:
    """Put one object into a file of its own."""
    return Sheet(path=path, things=(Thing(body=body, source=source, why=why),))
