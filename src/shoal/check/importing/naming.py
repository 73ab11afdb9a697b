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


class Naming:
    """Knows what runs, and by which names.

    Args:
        units: What is known to run.
    """

    def __init__(self, units: Sequence[Unit]) -> None:
        services = [unit for unit in units if unit.role == "service"]
        self._hosts = {name.lower(): unit.service for unit in services for name in (*unit.names, unit.name)}
        self._plain = {_plain(name): service for name, service in self._hosts.items()}

    def about(self, document: Document, servers: Sequence[str]) -> str:
        """Say which service a document is about: one that runs, by host, file or title; else the document's own name.

        Args:
            document: Of OpenAPI or AsyncAPI.
            servers: Addresses that the document names.
        """
        for server in servers:
            for address in addresses("url", server):
                if address.host in self._hosts:
                    return self._hosts[address.host]
        words = list(filter(None, [*_words(document.path), _title(document)]))
        return next((self._plain[word] for word in words if word in self._plain), next(iter(words), "api"))


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
