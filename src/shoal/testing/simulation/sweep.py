"""Run many seeds of a scenario, in processes whose sets of texts are ordered alike."""

import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor

import msgspec

from shoal.errors import ShoalError
from shoal.testing.simulation.run import Report

HASHES = "0"
"""Value of ``PYTHONHASHSEED``: the order of texts in sets is a part of what must repeat."""

_decode = msgspec.json.Decoder(Report).decode


def sweep(
    entry: str, seeds: Sequence[int], *, jobs: int = 2, failures: int = 3, traces: bool = False, nice: int = 0
) -> list[Report]:
    """Run a scenario under many seeds.

    Args:
        entry: ``package.module:attribute`` of a class that makes a `Scenario`.
        seeds: Which seeds.
        jobs: Processes at a time.
        failures: After so many seeds under which something does not hold, a process stops.
        traces: Whether reports carry traces of seeds under which everything holds, too.
        nice: How much less than others its processes want the processors, from 0 to 19.
    """
    parts = [part for number in range(jobs) if (part := seeds[number::jobs])]
    workers = [_worker(entry, part, failures, nice, traces=traces) for part in parts]
    reports: list[Report] = []
    with ThreadPoolExecutor(max(1, len(workers))) as readers:  # a pipe that nobody reads stops its writer
        outputs = [*readers.map(lambda worker: worker.communicate()[0], workers)]
    for worker, output in zip(workers, outputs, strict=True):
        if worker.returncode:
            raise ShoalError(f"a worker of the simulation {entry} ended with {worker.returncode}", hint="see above")
        reports.extend(_decode(line) for line in output.splitlines())
    return sorted(reports, key=lambda report: report.seed)


def _worker(entry: str, seeds: Sequence[int], failures: int, nice: int, *, traces: bool) -> "subprocess.Popen[bytes]":
    command = [sys.executable, "-m", "shoal.testing.simulation", entry, "--worker", "--failures", str(failures)]
    command += ["--nice", str(nice)] * bool(nice)
    command += ["--traces"] * traces + ["--seeds", _spelled(seeds)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, env=environ())  # noqa: S603 - our own command line


def environ() -> dict[str, str]:
    """Return the environment of a worker: the same modules can be imported, texts hash alike."""
    return {**os.environ, "PYTHONHASHSEED": HASHES, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}


def _spelled(seeds: Sequence[int]) -> str:
    if isinstance(seeds, range):
        return f"{seeds.start}-{seeds[-1]}/{seeds.step}" if seeds else ""
    return ",".join(map(str, seeds))


def numbers(text: str) -> Sequence[int]:
    """Read ``7``, ``1-1000``, ``1-1000/2`` or ``3,5,8``."""
    if "," in text:
        return [int(part) for part in text.split(",")]
    bounds, _, step = text.partition("/")
    first, _, last = bounds.partition("-")
    return range(int(first), int(last or first) + 1, int(step or 1))


def table(reports: Sequence[Report]) -> Iterator[str]:
    """Write what many seeds came to."""
    failed = [report for report in reports if report.violations]
    seconds, struck = sum(report.seconds for report in reports), dict[str, int]()
    for report in reports:
        for name, count in report.struck.items():
            struck[name] = struck.get(name, 0) + count
    yield (
        f"{len(reports)} seeds, {len(failed)} failed; {sum(r.steps for r in reports):,} steps,"
        f" {sum(r.virtual for r in reports):,.0f} virtual seconds in {seconds:.1f} s of work"
    )
    yield f"small faults: {', '.join(f'{name} {count}' for name, count in sorted(struck.items()))}"
