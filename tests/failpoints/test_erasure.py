"""An erasure completes wherever its services and engines end: nothing of the person is left, all of others is."""

import pytest

from shoal import failpoints
from shoal.runtime import relay
from shoal.testing.simulation.run import Report, simulate
from tests.failpoints.leaving import Leaving

OF_FAILURES = "consuming.attempts."
"""Where only an event that failed comes by."""


def test_an_erasure_completes_wherever_who_takes_part_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(relay, "SHORTEST", 0.2)  # idle relays are most of what an idle system does
    calm = Leaving()
    assert not (found := simulated(calm, 1)).violations, str(found)
    known = {point for site in failpoints.sites() for point in site.points}
    points = sorted(point for point in calm.reached & known if not point.startswith(OF_FAILURES))
    assert {name for name in points if name.startswith("privacy.")} == {
        f"privacy.{name}:{side}-commit"
        for name in ("events.Opener._session", "lending.Lender.lend", "vault.Vault.open")
        for side in ("before", "after")
    }
    for number, point in enumerate(points):
        struck = Leaving(point)
        report = simulated(struck, number)
        assert not report.violations, f"{point}: {report}"
        assert struck.struck, f"{point} never acted"


def simulated(leaving: Leaving, seed: int) -> Report:
    """Run it, and leave nothing armed."""
    try:
        return simulate(leaving, seed)
    finally:
        leaving.disarm()
