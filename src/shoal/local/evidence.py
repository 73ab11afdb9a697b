"""What is on record of one request: the lines of its hops, what services logged in its trace, how replicas are."""

import contextlib
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from pathlib import Path

from shoal.errors import ShoalError
from shoal.local import logs
from shoal.local.layout import Layout
from shoal.local.probe import get
from shoal.local.state import RunState
from shoal.mesh.hopline import HopLine, read
from shoal.mesh.logline import LogLine
from shoal.mesh.why import RESTING

SHORTEST = 8
"""Characters of an id that must be given."""

_TOLD = ("service", "problem", "failure", "call", "fallback")
"""Fields of a line that say what became of a request or a call."""

_ENOUGH = 50
_SLACK = timedelta(milliseconds=5)


def hops_of(access: Path, wanted: str) -> tuple[HopLine, ...]:
    """Return the lines of one request: all hops that it passed, and the calls that were made for it.

    Args:
        access: The access log.
        wanted: A request id or trace id, or its beginning; empty for the newest request that failed.
            Of several requests in one trace, the newest that failed counts, else the newest.

    Raises:
        ShoalError: The log does not know it.
    """
    if wanted and len(wanted) < SHORTEST:
        raise ShoalError(f"{wanted!r} is too short an id", hint=f"give at least {SHORTEST} characters of it")
    known = [line for text in _texts(access) if wanted.encode() in text and (line := read(text))]
    first = _first([line for line in known if _is(line, wanted)] if wanted else known, failed=not wanted)
    if first is None:
        raise _unknown(access, wanted)
    if not first.trace:
        return (
            tuple(line for line in _all(access, first.request_id) if line.request_id) if first.request_id else (first,)
        )
    return tuple(_one_request(first, _all(access, first.trace)))


def logged(layout: Layout, trace: str) -> tuple[LogLine, ...]:
    """Return what processes logged in a trace."""
    found = []
    for file in logs.files(layout.logs) if trace else ():
        for text in logs.read(file):
            if trace.encode() in text:
                line, more = logs.parse(text)
                told = {name: str(more[name]) for name in _TOLD if name in more}
                found.append(LogLine(time=line.time, source=file.stem, level=line.level, message=line.message, **told))
    return tuple(sorted(found, key=lambda line: line.time)[-_ENOUGH:])


async def replicas(state: RunState | None, admin: Path) -> dict[str, list[str]]:
    """Say how the replicas of each service are now; nothing when nothing runs."""
    resting = await _resting(admin)
    found: dict[str, list[str]] = {}
    for process in state.processes if state is not None and state.status != "stopped" else ():
        if process.service:
            rests = process.status == "ready" and process.address.removeprefix("unix:") in resting
            told = RESTING if rests else process.status + (f": {process.reason}" if process.reason else "")
            found.setdefault(process.service, []).append(f"{process.name} {told}")
    return found


async def _resting(admin: Path) -> list[str]:
    """Ask Envoy for the replicas that it leaves out."""
    with contextlib.suppress(OSError, EOFError):
        lines = (await get(admin, "/clusters")).body.decode("utf-8", "replace").splitlines()
        return [line.split("::")[1] for line in lines if "::health_flags::/failed" in line]
    return []


def _first(lines: Sequence[HopLine], *, failed: bool) -> HopLine | None:
    """Choose the line by which a request came in: at the edge, else where a service called or was called."""
    edge = [line for line in lines if line.at_edge] or list(lines)
    bad = [line for line in edge if line.failed]
    return next(reversed(bad if bad or failed else edge), None)


def _is(line: HopLine, wanted: str) -> bool:
    return line.request_id.startswith(wanted) or line.trace.startswith(wanted)


def _texts(access: Path) -> Iterator[bytes]:
    """Yield the lines of every proxy: those of sidecars, then the edge's, where a request ends last."""
    for file in (*sorted(access.parent.glob(f"sidecars/*/{access.name}")), access):
        yield from logs.read(file)


def _all(access: Path, text: str) -> list[HopLine]:
    return [line for raw in _texts(access) if text.encode() in raw and (line := read(raw))]


def _one_request(first: HopLine, lines: Iterable[HopLine]) -> Iterable[HopLine]:
    """Leave out what other requests of the same trace have caused, by their ids and by the time."""
    others = {line.request_id for line in lines if line.at_edge} - {first.request_id}
    begun = datetime.fromisoformat(first.time) - _SLACK
    ended = begun + timedelta(milliseconds=first.duration_ms) + 2 * _SLACK
    for line in lines:
        own = line.request_id == first.request_id
        if own or (line.request_id not in others and begun <= datetime.fromisoformat(line.time) <= ended):
            yield line


def _unknown(access: Path, wanted: str) -> ShoalError:
    if not access.exists():
        return ShoalError(
            f"there is no access log at {access}",
            hint="start the system with `shoal run`; only the proxies of a system in many processes write one",
        )
    if not wanted:
        return ShoalError("no request has failed", hint="give the id of a request: shoal why ID")
    return ShoalError(
        f"no hop has seen a request or trace {wanted}",
        hint="take the trace_id of a problem document, or the x-trace-id of an answer; "
        f"the log keeps the last {2 * logs.LARGEST // 1024**2} MiB of lines",
    )
