"""A played cluster of one node, listening on loopback."""

import base64
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from fnmatch import fnmatchcase
from typing import Any

import msgspec
from aiohttp import web

from tests.drivers.opensearch.asking import answer
from tests.drivers.opensearch.index import Index, Refused
from tests.drivers.opensearch.shapes import Aliases, Create, Operation, Search

_ILLEGAL = frozenset('\\/*?"<>| ,#:')

Params = dict[str, str]


class Played:
    """Indexes and aliases, and the faults that tests ask for."""

    def __init__(self, user: str = "", password: str = "") -> None:
        self.indexes: dict[str, Index] = {}
        self.aliases: dict[str, set[str]] = {}
        self.faults: list[int] = []
        """Statuses that the next requests are answered with; 0 closes the connection instead."""
        self.lost: list[str] = []
        """Methods of the next requests that are carried out, and whose answers are lost."""
        self.asked: list[str] = []
        self.port = 0
        self._allowed = f"Basic {base64.b64encode(f'{user}:{password}'.encode()).decode()}" if user else ""

    @property
    def url(self) -> str:
        """The address for the driver."""
        return f"opensearch://127.0.0.1:{self.port}/shop-products"

    @asynccontextmanager
    async def serving(self) -> AsyncIterator["Played"]:
        """Listen."""
        application = web.Application(client_max_size=100 * 1024 * 1024)
        application.router.add_route("*", "/{path:.*}", self._handle)
        runner = web.AppRunner(application)
        await runner.setup()
        try:
            await web.TCPSite(runner, "127.0.0.1", 0).start()
            self.port = runner.addresses[0][1]
            yield self
        finally:
            await runner.cleanup()

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        self.asked.append(f"{request.method} {request.path}")
        body = await request.read()
        try:
            assert request.transport is not None
            if self.faults and not self._struck():
                request.transport.close()
                return web.Response()
            self._require(request, body)
            shown = self._route(request, body)
            if request.method in self.lost:
                self.lost.remove(request.method)
                request.transport.close()
            return web.json_response(shown)
        except Refused as error:
            said = {"type": error.kind, "reason": error.reason}
            shown = {"error": {**said, "root_cause": [said]}, "status": error.status}
            return web.json_response(shown, status=error.status)
        except (msgspec.MsgspecError, ValueError) as error:
            shown = {"error": {"type": "parsing_exception", "reason": str(error)}, "status": 400}
            return web.json_response(shown, status=400)

    def _require(self, request: web.Request, body: bytes) -> None:
        if self._allowed and request.headers.get("Authorization") != self._allowed:
            raise Refused(401, "security_exception", "missing authentication credentials for REST request")
        kind = "application/x-ndjson" if request.path == "/_bulk" else "application/json"
        if body and request.content_type != kind:
            raise Refused(406, "media_type_header_exception", f"Content-Type {request.content_type} is not supported")

    def _struck(self) -> int:
        fault = self.faults.pop(0)
        if fault:
            raise Refused(fault, "played_exception", "as the test wants it")
        return fault

    def _route(self, request: web.Request, body: bytes) -> object:
        params, parts = dict(request.query), request.path.split("/")[1:]
        shown: object = None
        match request.method, parts:
            case "PUT", [index]:
                shown = self._create(index, msgspec.json.decode(body, type=Create))
            case "DELETE", [index]:
                shown = self._delete(index, params)
            case "GET", ["_alias", alias]:
                shown = self._alias(alias)
            case "GET", [pattern, "_alias"]:
                shown = {name: self._aliases_of(name) for name in self.indexes if fnmatchcase(name, pattern)}
            case "POST", ["_aliases"]:
                shown = self._change(msgspec.json.decode(body, type=Aliases))
            case "POST", ["_bulk"]:
                shown = self._bulk(body, params)
            case "POST", [name, "_search"]:
                shown = self._search(name, body, params)
        if shown is None:
            raise Refused(400, "illegal_argument_exception", f"no handler found for {request.method} {request.path}")
        return shown

    def _create(self, index: str, made: Create) -> object:
        legal = index == index.lower() and not _ILLEGAL & set(index) and index[0] not in "-_+" and len(index) < 256
        if not legal:
            raise Refused(400, "invalid_index_name_exception", f"Invalid index name [{index}]")
        if index in self.indexes or index in self.aliases:
            raise Refused(400, "resource_already_exists_exception", f"index [{index}] already exists")
        self.indexes[index] = Index(made)
        for alias in made.aliases:
            self.aliases.setdefault(alias, set()).add(index)
        return {"acknowledged": True, "shards_acknowledged": True, "index": index}

    def _delete(self, index: str, params: Params) -> object:
        _only(params, "ignore_unavailable")
        if index not in self.indexes and params.get("ignore_unavailable") != "true":
            raise Refused(404, "index_not_found_exception", f"no such index [{index}]")
        self._drop(index)
        return {"acknowledged": True}

    def _alias(self, alias: str) -> object:
        if not self.aliases.get(alias):
            raise Refused(404, "aliases_not_found_exception", f"alias [{alias}] missing")
        return {name: {"aliases": {alias: {}}} for name in self.aliases[alias]}

    def _change(self, body: Aliases) -> object:
        for action in body.actions:  # all of them, or none
            target = action.add or action.remove_index
            if target is None or target.index not in self.indexes:
                raise Refused(404, "index_not_found_exception", f"no such index [{target and target.index}]")
        for action in body.actions:
            if action.add is not None:
                self.aliases.setdefault(action.add.alias, set()).add(action.add.index)
            if action.remove_index is not None:
                self._drop(action.remove_index.index)
        return {"acknowledged": True}

    def _bulk(self, body: bytes, params: Params) -> object:
        _only(params, "refresh", "require_alias")
        if not body.endswith(b"\n"):
            raise Refused(400, "illegal_argument_exception", "The bulk request must be terminated by a newline [\\n]")
        lines = body.splitlines()
        items = []
        for at, document in zip(lines[::2], lines[1::2], strict=True):
            target = msgspec.json.decode(at, type=Operation).index
            if len(target.id.encode()) > 512:
                raise Refused(400, "illegal_argument_exception", "id is too long, must be no longer than 512 bytes")
            items.append({"index": {"_index": target.index, "_id": target.id, **self._write(target, document, params)}})
        return {"took": 1, "errors": any("error" in item["index"] for item in items), "items": items}

    def _write(self, target: Any, document: bytes, params: Params) -> dict[str, object]:
        try:
            index = self._writable(target.index, demanded=params.get("require_alias") == "true")
            index.take(target.id, target.version, msgspec.json.decode(document))
        except Refused as error:
            return {"status": error.status, "error": {"type": error.kind, "reason": error.reason}}
        if params.get("refresh") == "true":
            index.seen = dict(index.written)
        return {"status": 200, "_version": target.version}

    def _writable(self, name: str, *, demanded: bool) -> Index:
        if name not in self.aliases and demanded:
            reason = f"no such index [{name}] and [require_alias] request flag is [true] and [{name}] is not an alias"
            raise Refused(404, "index_not_found_exception", reason)
        if name not in self.aliases:
            self.indexes.setdefault(name, Index(None))
        (index,) = self._meant(name)
        return index

    def _search(self, name: str, body: bytes, params: Params) -> object:
        _only(params, "allow_partial_search_results", "preference")
        if params.get("preference", "").startswith("_"):
            raise Refused(400, "illegal_argument_exception", "no Preference for that")
        (index,) = self._meant(name)
        return answer(index, msgspec.json.decode(body, type=Search))

    def _meant(self, name: str) -> list[Index]:
        names = self.aliases.get(name, set()) | ({name} & self.indexes.keys())
        if not names:
            raise Refused(404, "index_not_found_exception", f"no such index [{name}]")
        return [self.indexes[each] for each in sorted(names)]

    def _aliases_of(self, index: str) -> object:
        return {"aliases": {alias: {} for alias, names in self.aliases.items() if index in names}}

    def _drop(self, index: str) -> None:
        self.indexes.pop(index, None)
        self.aliases = {alias: names - {index} for alias, names in self.aliases.items() if names - {index}}


def _only(params: Params, *known: str) -> None:
    if unknown := params.keys() - set(known):
        raise Refused(400, "illegal_argument_exception", f"request contains unrecognized parameter: {unknown}")
