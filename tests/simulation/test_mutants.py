"""The test of the tests: each planted bug is seen by the simulation, within the seeds that `make test` takes."""

import pytest

from shoal.testing.simulation.sweep import sweep
from tests.simulation.mutants import MUTANTS, Mutant

SEEDS = range(1, 1001)


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda kind: kind.__name__)
def test_a_planted_bug_is_found(mutant: type[Mutant]) -> None:
    reports = sweep(f"tests.simulation.mutants:{mutant.__name__}", SEEDS, jobs=1, failures=1)
    assert reports[-1].violations, f"{len(reports)} seeds did not see it: {mutant.__doc__}"
