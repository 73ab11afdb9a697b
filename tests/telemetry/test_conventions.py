"""Every name of an attribute is one that OpenTelemetry publishes, or one of our own."""

import re
from pathlib import Path

import pytest

from shoal.telemetry import conventions

semconv = pytest.importorskip("opentelemetry.semconv")

NAME = re.compile(r"^[A-Z_0-9]+(?:: Final)? = \(?\s*\"([a-z0-9_.]+)\"", re.MULTILINE)


def published() -> set[str]:
    """Collect the names of attributes from the files of the published package."""
    files = Path(semconv.__path__[0]).rglob("*_attributes.py")
    return {name for file in files for name in NAME.findall(file.read_text())}


def ours() -> dict[str, str]:
    return {name: value for name, value in vars(conventions).items() if name.isupper() and isinstance(value, str)}


def test_every_key_is_published_or_our_own() -> None:
    known = published()
    assert len(known) > 500
    strange = {name: key for name, key in ours().items() if key not in known and not key.startswith("shoal.")}
    assert strange == {}


def test_no_key_has_two_names() -> None:
    keys = list(ours().values())
    assert len(keys) == len(set(keys)) > 30
