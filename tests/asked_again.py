"""Ask again, alone, what failed among thousands of tests on a machine that was busy with the others.

A test that passes then is named, and is a defect to mend; it does not hold back a change it has nothing to do with. A
defect of the change fails both times. More than a few failures are never asked again.
"""

import os
import subprocess
import sys
from collections.abc import Mapping, Sequence

import pytest

FEW = 3
"""Failures of a run up to which they are asked again."""


def failures(stats: Mapping[str, Sequence[object]]) -> tuple[str, ...]:
    """Name the tests of a run that failed, or could not be started or ended, each once.

    Args:
        stats: The reports of a run, by outcome.
    """
    reports = [*stats.get("failed", ()), *stats.get("error", ())]
    return tuple(dict.fromkeys(str(getattr(report, "nodeid", "")) for report in reports))


def passes_alone(config: pytest.Config, tests: Sequence[str]) -> bool:
    """Run a few tests in one process, with nothing beside them, and say whether all passed.

    Args:
        config: Of the run they failed in.
        tests: Their ids.
    """
    command = [sys.executable, "-m", "pytest", "--quiet", "-p", "no:cacheprovider", *tests]
    around = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    return subprocess.run(command, cwd=config.rootpath, env=around, check=False).returncode == 0  # noqa: S603 (names of tests)
