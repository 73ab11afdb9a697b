"""Every point of a service's process is visited with every action, and the simulated shop recovers from each."""

from shoal import failpoints
from tests.background import result_of
from tests.failpoints.points import NOT_HERE, hunt


def test_the_shop_recovers_from_every_action_at_every_point() -> None:
    failed, missed = result_of("test_the_shop_recovers_from_every_action_at_every_point", hunt)
    assert not failed, "\n\n".join(failed)
    assert not missed, f"never happened: {sorted(missed)}"


def test_what_is_not_visited_here_exists() -> None:
    assert NOT_HERE.keys() <= {site.name for site in failpoints.sites()}
