"""Which service a document about an interface describes."""

import posixpath
import re
from collections.abc import Iterator, Sequence

from shoal.check.importing.addresses import addresses
from shoal.check.importing.facts import Unit
from shoal.check.importing.tree import Document

_USUAL = frozenset(
    {"openapi", "swagger", "asyncapi", "api", "apis", "rest", "spec", "specs", "schema", "schemas", "definition"}
    | {"service", "services", "app", "apps", "main", "src", "java", "resources", "static", "public", "test", "index"}
    | {"docs", "doc", "contracts", "events", "v1", "v2", "v3"}
)
"""Names of files and folders that name no service."""


def about(document: Document, units: Sequence[Unit], servers: Sequence[str]) -> str:
    """Say which service a document is about: one that runs, by host, file or title; else the document's own name.

    Args:
        document: Of OpenAPI or AsyncAPI.
        units: What is known to run.
        servers: Addresses that the document names.
    """
    by_name = {
        name.lower(): unit.service for unit in units if unit.role == "service" for name in (*unit.names, unit.name)
    }
    plain = {_plain(name): service for name, service in by_name.items()}
    for server in servers:
        for address in addresses("url", server):
            if address.host in by_name:
                return by_name[address.host]
    words = list(filter(None, [*_words(document.path), _title(document)]))
    return next((plain[word] for word in words if word in plain), next(iter(words), "api"))


def _words(path: str) -> Iterator[str]:
    """List what a path may be called after, the nearest first: its file, then its folders."""
    stem = posixpath.basename(path).partition(".")[0]
    parts = [*reversed(stem.split("_")), stem] if "_" in stem else [stem]
    for part in [*parts, *reversed(posixpath.dirname(path).split("/"))]:
        yield _plain(part)


def _title(document: Document) -> str:
    return _plain(document.root.at("info", "title").text)


def _plain(name: str) -> str:
    """Reduce a name to what is its own: ``Orders API`` and ``orders-service`` are ``orders``."""
    words = re.split(r"[^a-z0-9]+", name.lower())
    kept = [word for word in words if word and word not in _USUAL]
    whole = "-".join(kept)
    return re.sub(r"(?<=.)service$", "", whole)
