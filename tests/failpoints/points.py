"""The simulated shop, in which one point of the code does one thing after the other to whoever comes by."""

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from random import Random
from typing import Any

from shoal import Unavailable, failpoints
from shoal.failpoints import Action, Planted
from shoal.testing.simulation.domain import DOMAIN, Domain
from shoal.testing.simulation.faults import Fault, Faults
from shoal.testing.simulation.sweep import sweep
from shoal.testing.simulation.world import World
from tests.background import NICE
from tests.simulation.scenario import Shopping

LONG = 8.0
"""Virtual seconds of a hang: longer than leases last and than the broker waits for an answer."""

ELSEWHERE = ("graves", "operator", "rebuild", "rehearsal", "rotation", "standing", "twins", "verify")
"""Last parts of modules that run for a command of the operator, and not in a service's process."""

NOT_HERE = {
    "commands.endpoint.AuditedEndpoint._note": "needs a command that is refused: tests/runtime/test_commands.py",
    "commands.reading.commands": "runs for a command of the operator",
    "consuming.burial.Burial.erase": "needs a message that was handled elsewhere: tests/runtime/test_redelivery.py",
    "answers.ends.Ends._look": "reads, for answers that events end: tests/runtime/test_caching.py",
    "expiring.Expiring._remove_some": "needs records that end: tests/runtime/test_documents.py",
    "objects.loose.begin": "needs objects: tests/runtime/test_objects.py",
    "objects.loose.forget": "needs objects: tests/runtime/test_objects.py",
    "objects.loose.is_due": "reads, for tests that wait",
    "objects.loose.take_due": "needs objects: tests/runtime/test_objects.py",
    "privacy.erasing.reports": "runs for a command of the operator",
    "privacy.events.Opener._session": "needs personal data: tests/failpoints/test_erasure.py",
    "privacy.lending.Lender.lend": "needs personal data: tests/failpoints/test_erasure.py",
    "privacy.vault.Vault.open": "needs personal data: tests/failpoints/test_erasure.py",
    "privacy.vault.Vault.read": "runs for a command of the operator",
    "projections.unread.require_read": "runs for a command of the operator",
    "schedules.side.ScheduleSide.once": "runs in a process of its own: tests/runtime/test_schedules_apart.py",
    "search.changes.done": "needs a search index: tests/runtime/test_searching.py",
    "search.changes.number": "needs a search index: tests/runtime/test_searching.py",
    "search.changes.pending": "needs a search index: tests/runtime/test_searching.py",
    "search.changes.replaced": "needs a search index: tests/runtime/test_searching.py",
    "search.changes.settled": "needs a search index: tests/runtime/test_searching.py",
    "search.side.Index._some": "needs a search index: tests/runtime/test_searching.py",
    "transacting.Transactor.__call__": "runs while a client's socket is open: tests/runtime/test_sockets.py",
    "warehouse.staging.decide": "needs a warehouse: tests/runtime/test_warehouse_postgres.py",
    "warehouse.staging.forgo": "needs another version: tests/runtime/test_warehouse_versions.py",
    "warehouse.staging._settle": "needs a warehouse: tests/runtime/test_warehouse_postgres.py",
    "warehouse.staging.waiting": "reads, for tests that wait",
    "watching.Watcher._read": "reads, for a client that watches: tests/runtime/test_streaming.py",
    "consuming.work.Worker._commit_apart": "needs a batch that fails at its commit: tests/runtime/test_batches.py",
    "sagas.attempts.read": "runs for a command of the operator",
    "consuming.attempts.Tally.calm": "comes after a quiet minute",
    "consuming.attempts.Tally.read": "runs for a command of the operator",
    "projections.fold.fail": "needs an event that a read model cannot take: tests/runtime/test_projections.py",
    "relay.Shift._set_aside": "needs a message that the broker refuses: tests/runtime/test_relay.py",
    "sagas.housekeeping.count_parked": "comes every few minutes",
    "sagas.housekeeping.drives": "comes every few minutes",
    "sagas.housekeeping.forget": "comes every few minutes",
}


ENTRY = "tests.failpoints.points:Pointed"

MOST = 400
"""Most simulations of one point: some are come by only when luck has it."""


def hunt() -> tuple[Sequence[str], set[str]]:
    """Simulate until every action was done at every point; return what failed, and what never happened."""
    points, turn = visited(), 0
    missed = {f"{point}={action}" for point in points for action in failpoints.ACTIONS}
    while missed and turn < MOST:
        left = [number for number, point in enumerate(points) if any(name.startswith(f"{point}=") for name in missed)]
        turns = range(turn, turn + max(1, len(points) // len(left)))
        seeds = [one * len(points) + number for one in turns for number in left]
        reports = sweep(ENTRY, seeds, jobs=2, failures=3, nice=NICE)
        if failed := [str(report) for report in reports if report.violations]:
            return failed, missed
        missed -= {name for report in reports for name in report.struck}
        turn = turns.stop
    return (), missed


def visited() -> tuple[str, ...]:
    """List the points that a service's process comes by within the seconds of a simulation."""
    here = [
        site
        for site in failpoints.sites()
        if not set(site.name.split(".")) & set(ELSEWHERE) and site.name not in NOT_HERE
    ]
    return tuple(sorted(point for site in here for point in site.points))


class Pointed(Shopping):
    """Nothing fails but for one point, and a broker that once comes back with an older copy.

    The seed says which point, and in which order it does what. Many messages are poison: of dead letters come the most
    points.
    """

    poison = 0.5

    def __init__(self) -> None:
        super().__init__()
        self._world: World | None = None
        self._point = ""
        self._left: list[Action] = []
        self._stack = ExitStack()

    def faults(self, seed: int, random: Random) -> Faults:
        """Choose the point, and let the broker fall back, so that what puts that right is visited as well."""
        turn, number = divmod(seed, len(visited()))
        self._point, first = visited()[number], turn % len(failpoints.ACTIONS)
        self._left = [*failpoints.ACTIONS[first:], *failpoints.ACTIONS[:first]]
        self._stack.enter_context(failpoints.armed(self._reach))
        return Faults(schedule=(Fault(at=3.0, kind="broker-older", target="broker", seconds=0.2, back=1.0),))

    def replicas(self, random: Random) -> Mapping[str, int]:
        """Have two replicas of each service."""
        return {service.name: 2 for service in self.declared.services}

    def overrides(self, world: World, domain: Domain) -> Mapping[Any, Any]:
        """Learn which world this is."""
        self._world = world
        return super().overrides(world, domain)

    async def check(self, world: World) -> Sequence[str]:
        """Disarm, and say what does not hold."""
        self._stack.close()
        return await super().check(world)

    async def _reach(self, name: str) -> None:
        domain, world = DOMAIN.get(), self._world
        if name != self._point or not self._left or domain is None or world is None or world.chance.calm:
            return
        action = self._left.pop(0)
        world.chance.struck[f"{name}={action}"] = 1
        world.trace.note("point", name, action)
        if action == "exit":
            world.kill(domain.name, 0.5)
            await asyncio.Event().wait()
        elif action == "hang":
            world.hang(domain.name, LONG)
            await asyncio.sleep(0)
        elif action == "exception":
            raise Planted(f"at {name}")
        else:
            raise Unavailable(f"the connection broke at {name}", hint="it was planted")
