"""What the processes of a run say of themselves in the Prometheus text format: circuits, outboxes, what is in hand."""

import asyncio
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Literal

import msgspec

from shoal.local import probe
from shoal.local.state import ProcessState, RunState

CircuitState = Literal["closed", "half-open", "open"]
_STATES: tuple[CircuitState, ...] = ("closed", "half-open", "open")
_SAMPLE = re.compile(r"([A-Za-z_:][\w:]*)(?:\{(.*)\})?\s+(\S+)$")
_LABEL = re.compile(r'(\w+)="((?:[^"\\]|\\.)*)"')


class Sample(msgspec.Struct, frozen=True, kw_only=True):
    """One sample of one replica."""

    replica: str
    service: str
    name: str
    labels: dict[str, str] = {}
    value: float


class Circuit(msgspec.Struct, frozen=True, kw_only=True):
    """A breaker, over all replicas of its service: as the worst of them has it."""

    service: str
    name: str
    state: CircuitState
    turns: int = 0
    """How often it opened."""
    replicas: dict[str, CircuitState] = {}
    calls: dict[str, int] = {}
    """Calls by how they ended, such as ``answered``, ``failed`` and ``short``."""


def parsed(replica: str, service: str, text: str) -> Iterable[Sample]:
    """Read samples; lines that are none are passed over."""
    for line in text.splitlines():
        found = None if line.startswith("#") else _SAMPLE.match(line.strip())
        if found is not None:
            try:
                value = float(found[3])
            except ValueError:
                continue
            labels = dict(_LABEL.findall(found[2] or ""))
            yield Sample(replica=replica, service=service, name=found[1], labels=labels, value=value)


async def read(run: RunState, service: str = "") -> list[Sample]:
    """Ask the ready replicas of one service, or of all; one that does not answer says nothing."""
    wanted = [p for p in run.processes if p.kind == "service" and p.status == "ready" and service in ("", p.service)]
    answers = await asyncio.gather(*(_one(process) for process in wanted))
    return [sample for samples in answers for sample in samples]


def circuits(samples: Iterable[Sample]) -> list[Circuit]:
    """Gather the breakers by service and name."""
    found: dict[tuple[str, str], Circuit] = {}
    for sample in samples:
        name = sample.labels.get("shoal_circuit", "")
        if not name or not sample.name.startswith("shoal_circuit_"):
            continue
        at = sample.service, name
        before = found.get(at, Circuit(service=sample.service, name=name, state="closed"))
        found[at] = _with(before, sample)
    return list(found.values())


def total(samples: Iterable[Sample], name: str) -> float | None:
    """Add the values of one name up; None when nobody has it."""
    values = [sample.value for sample in samples if sample.name == name]
    return sum(values) if values else None


def _with(before: Circuit, sample: Sample) -> Circuit:
    if sample.name == "shoal_circuit_state":
        state = _STATES[int(sample.value)] if 0 <= sample.value < len(_STATES) else "closed"
        worst = max(before.state, state, key=_STATES.index)
        return msgspec.structs.replace(before, state=worst, replicas={**before.replicas, sample.replica: state})
    if sample.name == "shoal_circuit_calls_total":
        outcome = sample.labels.get("shoal_outcome", "")
        calls = {**before.calls, outcome: before.calls.get(outcome, 0) + int(sample.value)}
        return msgspec.structs.replace(before, calls=calls)
    if sample.name == "shoal_circuit_turns_total" and sample.labels.get("shoal_circuit_state") == "open":
        return msgspec.structs.replace(before, turns=before.turns + int(sample.value))
    return before


async def _one(process: ProcessState) -> list[Sample]:
    kind, _, address = process.address.partition(":")
    if kind != "unix":
        return []
    try:
        answer = await probe.get(Path(address), "/metrics")
    except (OSError, EOFError, TimeoutError, ValueError):
        return []
    return list(parsed(process.name, process.service, answer.body.decode(errors="replace")))
