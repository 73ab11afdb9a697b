"""Put faults on purpose into a running mesh, list them and take them away; none outlives the proxy."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from urllib.parse import quote, urlencode

import msgspec
from msgspec.structs import replace

from shoal.errors import HostError
from shoal.local.layout import Layout
from shoal.local.probe import Answer, ask
from shoal.mesh import faults
from shoal.model.fault import Edge, Fault, edges, struck
from shoal.model.plan import Plan

_OK = 200


class _Value(msgspec.Struct):
    final_value: str


class _Runtime(msgspec.Struct):
    entries: dict[str, _Value]


def proxies(layout: Layout) -> tuple[Path, ...]:
    """Find the sockets by which every proxy of the project's run is administered; `HostError` without any."""
    found = tuple(sorted(layout.sockets.glob("*.admin")))
    if not found:
        raise HostError(
            "no proxy runs here, so that there is nothing to make faults with",
            hint="start the system in many processes: shoal run, without --one-process",
        )
    return found


async def add(proxies: Iterable[Path], plan: Plan, fault: Fault) -> None:
    """Strike what `fault` names from the next request on, in place of what struck it before.

    Raises:
        DeclarationError: Nobody goes that way.
        HostError: A proxy does not answer.
    """
    await _set(proxies, faults.values(fault, struck(plan, fault)))


async def present(proxies: Iterable[Path], plan: Plan) -> tuple[Fault, ...]:
    """List what strikes now; one fault for a whole way where all its operations are struck alike."""
    found: dict[tuple[str, str, str], Fault] = {}
    for proxy in proxies:
        runtime = msgspec.json.decode((await _asked(proxy, "/runtime", "GET")).body, type=_Runtime)
        values = {key: value.final_value for key, value in runtime.entries.items()}
        found |= {(f.caller, f.callee, f.endpoint): f for f in faults.present(values)}
    return _joined(plan, found.values())


async def clear(proxies: Iterable[Path], plan: Plan, edge: Edge | Fault | None = None) -> None:
    """Strike nothing any more; only that way, or that operation, when one is named."""
    values: dict[str, str] = {}
    for caller, callee in edges(plan) if edge is None else ((edge.caller, edge.callee),):
        names = struck(plan, Edge(caller=caller, callee=callee) if edge is None else edge)
        values |= faults.cleared(caller, callee, names)
    await _set(proxies, values)


def _joined(plan: Plan, found: Iterable[Fault]) -> tuple[Fault, ...]:
    ways: dict[Fault, set[str]] = {}
    for fault in found:
        ways.setdefault(replace(fault, endpoint=""), set()).add(fault.endpoint)
    known = edges(plan)
    joined = []
    for whole, names in ways.items():
        everything = names == set(known.get((whole.caller, whole.callee), ()))
        joined += [whole] if everything else [replace(whole, endpoint=name) for name in sorted(names)]
    return tuple(sorted(joined, key=lambda fault: fault.edge))


_AT_ONCE = 60
"""Values set by one request: the proxy takes no more than 60 KiB of headers, the path among them."""


async def _set(proxies: Iterable[Path], values: Mapping[str, str]) -> None:
    items = sorted(values.items())
    chunks = [dict(items[n : n + _AT_ONCE]) for n in range(0, len(items), _AT_ONCE)]
    for proxy in proxies:
        for chunk in chunks:
            await _asked(proxy, f"/runtime_modify?{urlencode(chunk, quote_via=quote)}", "POST")


async def _asked(proxy: Path, path: str, method: str) -> Answer:
    try:
        answer = await ask(proxy, path, method=method)
    except (OSError, EOFError) as error:
        raise HostError(f"the proxy at {proxy} does not answer: {error}", hint="look at: shoal ps") from error
    if answer.status != _OK:
        text = answer.body.decode(errors="replace").strip()
        raise HostError(f"the proxy at {proxy} refuses: {text}", hint="look at: shoal logs envoy")
    return answer
