"""What a platform cannot express, said to people."""

import sys
from collections.abc import Sequence

from shoal.cli import output
from shoal.cli.output import style
from shoal.errors import PlanError
from shoal.model.finding import Finding

_COLOURS = {"error": "red", "warning": "yellow", "info": "bright_black"}


def refuse(platform: str, found: Sequence[Finding]) -> None:
    """Raise `PlanError` with every error among the findings, where there is one."""
    errors = [finding for finding in found if finding.severity == "error"]
    if errors:
        lines = "\n".join(f"  {f.code} {f.where + ': ' if f.where else ''}{f.message} ({f.help})" for f in errors)
        raise PlanError(f"{platform} cannot carry the system as it is declared:\n{lines}")


def told(found: Sequence[Finding], *, quiet: bool) -> None:
    """Say what is not expressed, to standard error; when asked to be quiet, only what is wrong."""
    for finding in found:
        if not quiet or finding.severity != "info":
            mark = style(f"{finding.severity:<8}", sys.stderr, fg=_COLOURS[finding.severity])
            where = f" ({finding.where})" if finding.where else ""
            output.say(f"{mark} {finding.code} {finding.message}{where}; {finding.help}")
