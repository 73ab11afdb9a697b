"""What a platform cannot express, said to people."""

import sys
from collections.abc import Sequence
from itertools import groupby
from operator import attrgetter

from shoal.cli import output
from shoal.cli.output import style
from shoal.errors import PlanError
from shoal.model.finding import Finding

FEW = 3
"""Findings with one code that are said, unless somebody asks for more."""

_COLOURS = {"error": "red", "warning": "yellow", "info": "bright_black"}


def refuse(platform: str, found: Sequence[Finding]) -> None:
    """Raise `PlanError` with every error among the findings, where there is one."""
    errors = [finding for finding in found if finding.severity == "error"]
    if errors:
        lines = "\n".join(f"  {f.code} {f.where + ': ' if f.where else ''}{f.message} ({f.help})" for f in errors)
        raise PlanError(f"{platform} cannot carry the system as it is declared:\n{lines}")


def told(found: Sequence[Finding], verbosity: int) -> None:
    """Say what is not expressed, to standard error.

    Of findings with one code the first few are said, and remarks are counted; all is said to who asks for more.

    Args:
        found: In the order in which they are said.
        verbosity: -1 says only what is wrong, 1 everything.
    """
    for finding in found if verbosity > 0 else ():
        output.say(_line(finding))
    if verbosity > 0:
        return
    wrong = [finding for finding in found if finding.severity != "info"]
    for _, alike in groupby(wrong, key=attrgetter("severity", "code")):
        first, *others = alike
        output.say(_line(first))
        for other in others[: FEW - 1]:
            output.say(f"{'':<8} + {other.message}{_place(other)}")
        if len(others) >= FEW:
            output.say(f"{'':<8} + {len(others) - FEW + 1} more like it")
    remarks = len(found) - len(wrong)
    if verbosity == 0 and remarks:
        mark = style(f"{'info':<8}", sys.stderr, fg=_COLOURS["info"])
        output.say(f"{mark} {remarks} remarks; `shoal -v deploy ...` says all, `shoal explain CODE` what one means")


def _line(finding: Finding) -> str:
    mark = style(f"{finding.severity:<8}", sys.stderr, fg=_COLOURS[finding.severity])
    return f"{mark} {finding.code} {finding.message}{_place(finding)}; {finding.help}"


def _place(finding: Finding) -> str:
    return f" ({finding.where})" if finding.where else ""
