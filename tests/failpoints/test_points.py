"""Every point of a service's process is visited with every action, and the simulated shop recovers from each."""

from shoal import failpoints
from shoal.testing.simulation.sweep import sweep
from tests.failpoints.points import NOT_HERE, visited

ENTRY = "tests.failpoints.points:Pointed"


def test_the_shop_recovers_from_every_action_at_every_point() -> None:
    points = visited()
    reports = sweep(ENTRY, range(len(points) * len(failpoints.ACTIONS)), jobs=2, failures=3)
    failed = [str(report) for report in reports if report.violations]
    assert not failed, "\n\n".join(failed)
    struck = {name for report in reports for name in report.struck}
    missed = {f"{point}={action}" for point in points for action in failpoints.ACTIONS} - struck
    assert not missed, f"never happened: {sorted(missed)}"


def test_what_is_not_visited_here_exists() -> None:
    assert NOT_HERE.keys() <= {site.name for site in failpoints.sites()}
