"""Finding documents with OpenSearch or Elasticsearch."""

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import msgspec

from shoal.drivers.base.search import SearchAnswer, SearchChange, SearchQuery, SearchShape
from shoal.drivers.base.words import fold
from shoal.drivers.opensearch import query as questions
from shoal.drivers.opensearch.address import read
from shoal.drivers.opensearch.index import WRITE, made, written
from shoal.drivers.opensearch.wire import LINES, Answer, Fault, Wire
from shoal.errors import EngineError, Unavailable

LARGEST_BULK = 4 * 1024 * 1024
"""Bytes of one request at most, unless a single document has more; the smallest clusters of Amazon's take 10 MiB."""

_MOVES = 3
"""Moves of a name that one search outlives."""

_MISSING = "index_not_found_exception"
_EXISTS = "resource_already_exists_exception"
"""What a second try finds, when the first was carried out and not answered."""

_CONFLICT, _FULL = 409, 429


class _Wrote(msgspec.Struct, frozen=True):
    status: int
    error: Fault = Fault()


class _Bulk(msgspec.Struct, frozen=True):
    items: list[dict[str, _Wrote]]


class OpenSearch:
    """A `base.Search`."""

    def __init__(self, url: str) -> None:
        self._address = read(url)
        self._wire = Wire(self._address)

    async def close(self) -> None:
        """Close every connection."""
        await self._wire.close()

    async def make(self, physical: str, shape: SearchShape) -> None:
        """Make an index with an alias to write through."""
        index, sizes = self._name(physical), dict(self._address.sizes)
        meant = [self._name(shape.name)] if await self.pointed(shape.name) == physical else []
        await self._wire.ask("DELETE", index, params={"ignore_unavailable": "true"})
        body = made(shape, sizes, (f"{index}{WRITE}", *meant))
        answer = await self._wire.ask("PUT", index, msgspec.json.encode(body), accept=[400])
        if answer.status == 400 and answer.fault.type != _EXISTS:
            raise EngineError(f"{self._address.place} refuses the index {index}: {answer.fault.reason}")

    async def write(self, physical: str, shape: SearchShape, changes: Sequence[SearchChange]) -> None:
        """Write through the alias, so that no index is made by writing to one that is gone."""
        latest: dict[str, SearchChange] = {}
        for change in changes:
            if change.key not in latest or latest[change.key].version < change.version:
                latest[change.key] = change
        alias = f"{self._name(physical)}{WRITE}"
        for lines in _parted([written(alias, shape, change) for change in latest.values()]):
            params = {"refresh": "true", "require_alias": "true"}
            answer = await self._wire.ask("POST", "_bulk", lines, params=params, kind=LINES)
            for item in msgspec.json.decode(answer.body, type=_Bulk).items:
                self._check(shape.name, item["index"])

    async def point(self, name: str, physical: str) -> None:
        """Move the alias and remove the other indexes, in one step."""
        known = await self._decoded("GET", f"{self._name(name)}-*/_alias")
        others = sorted(known.keys() - {self._name(physical)})
        actions: list[dict[str, object]] = [{"add": {"index": self._name(physical), "alias": self._name(name)}}]
        actions += [{"remove_index": {"index": other}} for other in others]
        body = msgspec.json.encode({"actions": actions})
        _require(await self._wire.ask("POST", "_aliases", body, accept=[404]), name)

    async def pointed(self, name: str) -> str:
        """Look an alias up."""
        answer = await self._wire.ask("GET", f"_alias/{self._name(name)}", accept=[404])
        indexes = [] if answer.status == 404 else sorted(msgspec.json.decode(answer.body, type=dict[str, Any]))
        return indexes[0].removeprefix(self._name("")) if indexes else ""

    async def search(self, query: SearchQuery) -> SearchAnswer:
        """Ask for the page, the total and the facets in one request."""
        preference = questions.preference(query)
        return questions.found(await self._asked(query.shape.name, questions.asked(query), preference), query)

    async def suggest(self, shape: SearchShape, prefix: str, limit: int, *, near: bool = False) -> Sequence[str]:
        """Complete what somebody types."""
        if not (folded := fold(prefix)):
            return ()
        body = questions.suggesting(shape, folded, limit, near=near)
        return questions.suggested(await self._asked(shape.name, body, "suggest"))

    async def _asked(self, name: str, body: Mapping[str, object], preference: str) -> bytes:
        """Ask; again when the index went away after its name was looked up."""
        params = {"allow_partial_search_results": "false", "preference": preference}
        spelled = msgspec.json.encode(body)
        for _ in range(_MOVES):
            answer = await self._wire.ask("POST", f"{self._name(name)}/_search", spelled, params=params, accept=[404])
            with contextlib.suppress(Unavailable):
                _require(answer, name)
                return answer.body
        raise _missing(name)

    async def _decoded(self, method: str, path: str) -> dict[str, Any]:
        return msgspec.json.decode((await self._wire.ask(method, path)).body, type=dict[str, Any])

    def _name(self, name: str) -> str:
        return f"{self._address.prefix}.{name}"

    def _check(self, name: str, wrote: _Wrote) -> None:
        """Pass over what the index has newer."""
        if wrote.status < 300 or wrote.status == _CONFLICT:
            return
        if wrote.error.type == _MISSING:
            raise _missing(name)
        said = f"{wrote.status} {wrote.error.type}: {wrote.error.reason}"
        kind = Unavailable if wrote.status == _FULL or wrote.status >= 500 else EngineError
        raise kind(f"{self._address.place} does not take a document of the index {name}: {said}")


def _require(answer: Answer, name: str) -> None:
    if answer.status == 404:
        raise _missing(name)


def _missing(name: str) -> Unavailable:
    return Unavailable(f"the index {name} is not built yet", hint="try again in a moment")


def _parted(written: Sequence[bytes]) -> Iterator[bytes]:
    """Make requests of a size that every cluster takes."""
    some: list[bytes] = []
    for one in written:
        if some and sum(map(len, some)) + len(one) > LARGEST_BULK:
            yield b"".join(some)
            some = []
        some.append(one)
    if some:
        yield b"".join(some)
