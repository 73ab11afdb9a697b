"""Check the systems of others that lie in a folder, and compare with what was judged.

Usage: python -m tests.precision FOLDER [--write]
"""

import argparse
import datetime as dt
import sys
from pathlib import Path

import msgspec

from shoal.check.report import Report
from shoal.cli.checking.check import Check
from shoal.operating.where import Project
from tests.precision.judged import Example, Judged, read, write


def folder(name: str) -> str:
    """Say in which folder a system lies."""
    return name.partition(",")[0].lower().replace(" ", "-")


def compared(system: Example, report: Report) -> Example:
    """Take over what was judged of findings that are still there; the others are not judged."""
    before = {(judged.code, judged.place): judged for judged in system.findings}
    found = []
    for finding in report.findings:
        place = f"{finding.where.file}:{finding.where.line}"
        old = before.get((finding.code, place), Judged(code=finding.code, place=place, message=""))
        found.append(msgspec.structs.replace(old, message=finding.message))
    return msgspec.structs.replace(system, services=report.services, findings=tuple(found))


def main() -> int:
    """Compare, and say what differs."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--write", action="store_true")
    chosen = parser.parse_args()
    data, systems, differences = read(), [], 0
    for system in data.systems:
        root = chosen.folder / folder(system.name)
        if not root.is_dir():
            sys.stderr.write(f"not there: {root}\n")
            systems.append(system)
            continue
        now = compared(system, Check(Project(root=root.resolve()), paths=system.files).run())
        systems.append(now)
        for mark, one, other in (("+", now, system), ("-", system, now)):
            known = {(judged.code, judged.place) for judged in other.findings if judged.verdict or mark == "-"}
            for judged in one.findings:
                if (judged.code, judged.place) not in known:
                    differences += 1
                    sys.stdout.write(f"{mark} {system.name} {judged.place} {judged.code} {judged.message}\n")
    if chosen.write:
        day = dt.datetime.now(dt.UTC).date().isoformat()
        write(msgspec.structs.replace(data, day=day, systems=tuple(systems)))
    return min(differences, 1)


if __name__ == "__main__":
    sys.exit(main())
