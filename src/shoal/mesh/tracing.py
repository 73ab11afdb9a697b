"""One trace per request (W3C Trace Context): continued where the client names one, begun at the edge where not."""

from collections.abc import Iterable

from shoal.mesh import filters
from shoal.mesh.accesslog import TRACE
from shoal.mesh.feature import Feature
from shoal.mesh.manager import Scope
from shoal.mesh.proto import Json

RUNTIME: Json = {"re2.max_program_size.error_level": 400}
"""Envoy's bound of 100 is for expressions of strangers; `_PARENT` is a longer one."""

_READER, _WRITER = "shoal.trace_context", "shoal.trace"
_PARENT = (
    r"^(?:[^-]*-(?:0{32}|[0-9a-f]{32}-0{16})-\C*"
    r"|(?:[0-9a-e][0-9a-f]|f[0-9a-e])-([0-9a-f]{32})-[0-9a-f]{16}-([0-9a-f]{2})"
    r"|\C*)$"
)
"""A well-formed ``traceparent``, with its trace and its flags as groups; of anything else, byte by byte, nothing."""

_CHANCE = ("x-shoal-chance-1", "x-shoal-chance-2")
"""Headers that last as long as one filter: Envoy has random identifiers, of which only a header can be cut short."""

_ALWAYS, _EXISTING, _MISSING = "OVERWRITE_IF_EXISTS_OR_ADD", "OVERWRITE_IF_EXISTS", "ADD_IF_ABSENT"


def _filters(_: Scope) -> Iterable[Json]:
    """Say the trace to everyone behind, and to the edge's own refusals; nobody outside may say it for us.

    A tracer of Envoy's does the same and costs a span, which nobody records.
    """
    rules = [_rule("flags", value="01"), _rule("trace", group=1), _rule("flags", group=2)]
    span = _begin(_CHANCE)
    changes = [
        *(_set(name, "%UNIQUE_ID%", _ALWAYS) for name in (*_CHANCE, TRACE)),
        _set(TRACE, _begin(("x-request-id", *_CHANCE, TRACE)), _ALWAYS),
        _set(TRACE, _read("trace"), _EXISTING),  # Envoy sets no empty header: without one to continue it stays ours
        _set("traceparent", f"00-%REQ({TRACE})%-{span}-{_read('flags')}", _EXISTING),
        _set("traceparent", f"00-%REQ({TRACE})%-{span}-01", _MISSING),
        *({"remove": name} for name in _CHANCE),
    ]
    return (
        filters.http_filter(_READER, request_rules=rules),
        filters.http_filter(_WRITER, mutations={"request_mutations": changes}),
    )


def _rule(key: str, *, value: str = "", group: int = 0) -> Json:
    """Note under `key` a part of the client's ``traceparent``, or a value where there is one; never an empty text."""
    taken = {"pattern": {"regex": _PARENT}, "substitution": rf"\{group}"}
    what: Json = {"value": value} if value else {"regex_value_rewrite": taken}
    return {"header": "traceparent", "on_header_present": {"metadata_namespace": _WRITER, "key": key, **what}}


def _read(key: str) -> str:
    return f"%DYNAMIC_METADATA({_WRITER}:{key})%"


def _begin(headers: Iterable[str]) -> str:
    """Write the first 32 bits, in hexadecimal digits, of each of the random identifiers in `headers`."""
    return "".join(f"%REQ({name}):8%" for name in headers)


def _set(name: str, value: str, action: str) -> Json:
    return {"append": {"header": {"key": name, "value": value}, "append_action": action}}


FEATURE = Feature(edge_filters=_filters)
