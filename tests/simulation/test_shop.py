"""A thousand seeds of the simulated shop; equal seeds are equal runs."""

import os
import subprocess
import sys

from shoal.testing.simulation.faults import RATES
from shoal.testing.simulation.sweep import environ, sweep, table
from tests.background import result_of
from tests.simulation.seeds import ENTRY, thousand

REPLAY = f"python -m shoal.testing.simulation {ENTRY} --seeds"


def test_everything_holds_under_every_seed(seed: int | None) -> None:
    name = "test_everything_holds_under_every_seed"
    reports = result_of(name, thousand) if seed is None else sweep(ENTRY, [seed], jobs=1, traces=True)
    failed = [report for report in reports if report.violations]
    told = [f"replay with: {REPLAY} {report.seed}\n{report}" for report in failed]
    assert not failed, "\n\n".join([*told, *table(reports)])
    if seed is None:
        struck = {name for report in reports for name in report.struck}
        assert struck == set(RATES), "some fault never happened"


def test_the_same_seed_is_the_same_run_in_another_process() -> None:
    first, second = (sweep(ENTRY, range(1, 21), jobs=jobs, traces=True) for jobs in (1, 2))
    assert [report.fingerprint for report in first] == [report.fingerprint for report in second]
    assert [report.trace for report in first] == [report.trace for report in second]
    assert len({report.fingerprint for report in first}) == 20


def test_one_seed_is_told_in_full_by_the_command() -> None:
    command = [sys.executable, "-m", "shoal.testing.simulation", ENTRY, "--seeds", "7"]
    told = subprocess.run(  # noqa: S603 - our own command line
        command, env={**environ(), "PYTHONHASHSEED": "5"}, capture_output=True, text=True, timeout=60, check=False
    )
    (report,) = sweep(ENTRY, [7], jobs=1, traces=True)
    assert told.returncode == 0, told.stderr
    assert f"fingerprint {report.fingerprint}" in told.stdout
    assert "latency" in told.stdout
    assert "orders/0" in told.stdout
    assert os.linesep.join(report.trace[:3]) in told.stdout
