"""Every point of a service's process is visited with every action, and the simulated shop recovers from each."""

from shoal import failpoints
from shoal.testing.simulation.sweep import sweep
from tests.failpoints.points import NOT_HERE, visited

ENTRY = "tests.failpoints.points:Pointed"


MOST = 400
"""Most simulations of one point: some are come by only when luck has it."""


def test_the_shop_recovers_from_every_action_at_every_point() -> None:
    points = visited()
    missed = {f"{point}={action}" for point in points for action in failpoints.ACTIONS}
    turn = 0
    while missed and turn < MOST:
        left = [number for number, point in enumerate(points) if any(name.startswith(f"{point}=") for name in missed)]
        turns = range(turn, turn + max(1, len(points) // len(left)))
        reports = sweep(ENTRY, [one * len(points) + number for one in turns for number in left], jobs=2, failures=3)
        failed = [str(report) for report in reports if report.violations]
        assert not failed, "\n\n".join(failed)
        missed -= {name for report in reports for name in report.struck}
        turn = turns.stop
    assert not missed, f"never happened: {sorted(missed)}"


def test_what_is_not_visited_here_exists() -> None:
    assert NOT_HERE.keys() <= {site.name for site in failpoints.sites()}
