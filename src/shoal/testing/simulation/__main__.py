"""``python -m shoal.testing.simulation package.module:Scenario --seeds 1-1000``: simulate a system from the shell."""

import argparse
import faulthandler
import os
import sys
from collections.abc import Sequence

import msgspec

from shoal.runtime.load import load
from shoal.testing.simulation.run import Report, simulate
from shoal.testing.simulation.sweep import HASHES, environ, numbers, sweep, table

STUCK = 300.0
"""Real seconds of one seed after which a worker says where it is, and ends: a loop that awaits nothing."""


def main(arguments: Sequence[str]) -> int:
    """Run what the arguments say; 1 when something does not hold under some seed."""
    asked = _parse(arguments)
    if asked.worker:
        _work(asked)
        return 0
    if len(asked.seeds) == 1:
        if os.environ.get("PYTHONHASHSEED") != HASHES:
            command = [sys.executable, "-m", "shoal.testing.simulation", *arguments]
            os.execve(sys.executable, command, environ())  # noqa: S606 - ourselves, with texts that hash alike
        report = simulate(load(asked.scenario, type)(), asked.seeds[0], keep_trace=True)
        sys.stdout.write(f"{report}\nfingerprint {report.fingerprint}, {report.steps} steps\n")
        return bool(report.violations)
    reports = sweep(asked.scenario, asked.seeds, jobs=asked.jobs, failures=asked.failures)
    failed = [report for report in reports if report.violations]
    sys.stdout.write("\n".join([*map(_short, failed), *table(reports)]) + "\n")
    return bool(failed)


def _parse(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m shoal.testing.simulation", description=__doc__)
    parser.add_argument("scenario", help="package.module:attribute of a class that makes a Scenario")
    parser.add_argument("--seeds", type=numbers, default=range(1, 1001), help="7 (with its trace), 1-1000 or 3,5,8")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="processes at a time")
    parser.add_argument("--failures", type=int, default=3, help="failed seeds after which a process stops")
    parser.add_argument("--traces", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--nice", type=int, default=0, help=argparse.SUPPRESS)
    parser.add_argument("--worker", action="store_true", help=argparse.SUPPRESS)
    return parser.parse_args(arguments)


def _work(asked: argparse.Namespace) -> None:
    os.nice(asked.nice)
    kind, left = load(asked.scenario, type), asked.failures
    for seed in asked.seeds:
        faulthandler.dump_traceback_later(STUCK, exit=True)
        report = simulate(kind(), seed, keep_trace=asked.traces)
        faulthandler.cancel_dump_traceback_later()
        sys.stdout.buffer.write(msgspec.json.encode(report) + b"\n")
        left -= bool(report.violations)
        if not left:
            return


def _short(report: Report) -> str:
    return f"seed {report.seed}: {report.violations[0]}"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
