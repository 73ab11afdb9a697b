"""The thousand seeds."""

from collections.abc import Sequence

from shoal.testing.simulation.run import Report
from shoal.testing.simulation.sweep import sweep
from tests.background import NICE

ENTRY = "tests.simulation.scenario:Shopping"
SEEDS = range(1, 1001)


def thousand() -> Sequence[Report]:
    """Run them all, until two have failed."""
    return sweep(ENTRY, SEEDS, jobs=2, failures=2, nice=NICE)
