"""One index of a played cluster: documents with versions, of which searches see those that were refreshed."""

from collections.abc import Mapping
from typing import Any

from tests.drivers.opensearch.shapes import Create, Property
from tests.drivers.opensearch.words import stem

Source = dict[str, Any]

_NUMBERS = {"long": 63, "integer": 31}
_TYPES: Mapping[str, tuple[type, ...]] = {
    "boolean": (bool,), "double": (int, float), "integer": (int,), "long": (int,), "object": (dict,)
}  # fmt: skip


class Refused(Exception):
    """An answer that is an error."""

    def __init__(self, status: int, kind: str, reason: str) -> None:
        super().__init__(reason)
        self.status, self.kind, self.reason = status, kind, reason


class Index:
    """Documents with versions, of which searches see those that were refreshed."""

    def __init__(self, made: Create | None) -> None:
        self.made = made
        self.versions: dict[str, int] = {}
        self.written: dict[str, Source] = {}
        self.seen: dict[str, Source] = {}

    def take(self, id_: str, version: int, source: Source) -> None:
        """Write a document."""
        if version <= self.versions.get(id_, -1):
            raise Refused(409, "version_conflict_engine_exception", f"[{id_}]: version conflict")
        for name, value in source.items():
            self._check(name, value)
        self.versions[id_] = version
        self.written[id_] = source

    def kind(self, field: str) -> Property:
        """Find a field that questions name."""
        name, _, sub = field.partition(".")
        found = self.made.mappings.properties.get(name) if self.made else None
        found = found.fields.get(sub) if found and sub else found
        if found is None:
            raise Refused(400, "query_shard_exception", f"No mapping found for [{field}]")
        return found

    def tokens(self, field: str, source: Source) -> list[str]:
        """Take a text apart."""
        kind, value = self.kind(field), source.get(field.partition(".")[0], "")
        if kind.type != "text":
            raise Refused(400, "query_shard_exception", f"[{field}] is no text")
        return self.analyzed(kind.analyzer, value)

    def analyzed(self, analyzer: str, text: str) -> list[str]:
        assert self.made is not None
        named = self.made.settings.analysis.analyzer[analyzer]
        cut = [word[n : n + 255] for word in text.split() for n in range(0, len(word), 255)]
        return [stem(word) for word in cut] if named.filter else cut

    def plain(self, field: str) -> Property:
        """Find a field that is sorted, counted or compared by."""
        kind = self.kind(field)
        if kind.type in ("text", "object"):
            raise Refused(400, "illegal_argument_exception", f"{kind.type} [{field}] is not optimised for that")
        return kind

    def _check(self, name: str, value: Any) -> None:
        if self.made is None:
            return
        kind = self.made.mappings.properties.get(name)
        if kind is None:
            raise Refused(400, "strict_dynamic_mapping_exception", f"introduction of [{name}] is not allowed")
        bits = _NUMBERS.get(kind.type)
        right = isinstance(value, _TYPES.get(kind.type, (str,))) and (kind.type == "boolean") == isinstance(value, bool)
        if not right or (bits and not -(2**bits) <= value < 2**bits):
            raise Refused(400, "mapper_parsing_exception", f"failed to parse field [{name}] of type [{kind.type}]")
