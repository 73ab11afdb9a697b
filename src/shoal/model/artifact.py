"""What every compiler returns."""

import msgspec


class Artifact(msgspec.Struct, frozen=True, kw_only=True):
    """One generated file: a relative path with forward slashes, and its text."""

    path: str
    text: str
