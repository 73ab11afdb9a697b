"""Projects of a few files, written into a folder and checked as the command line checks them."""

import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import msgspec

from shoal.check.observed import Observed
from shoal.check.page import OBSERVED, PLACED
from shoal.check.placed import Placed
from shoal.check.report import Report
from shoal.cli.checking.check import Beside, Check
from shoal.operating.where import Project


def written(root: Path, files: Mapping[str, str]) -> Path:
    """Write files below a folder."""
    for path, text in files.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text, "utf-8")
    return root


@contextmanager
def importing(root: Path) -> Iterator[None]:
    """Forget afterwards what was imported from below a folder."""
    path, bytecode = list(sys.path), sys.dont_write_bytecode
    sys.dont_write_bytecode = True  # modules change faster than a cache would notice
    try:
        yield
    finally:
        sys.path[:], sys.dont_write_bytecode = path, bytecode
        for name, module in list(sys.modules.items()):
            if Path(getattr(module, "__file__", None) or "/").is_relative_to(root):
                del sys.modules[name]


def report_of(root: Path, files: Mapping[str, str], *only: str) -> Report:
    """Check a project of these files.

    What a run has seen is among them, as ``observed.json``, and what lies beside where it is deployed from, as
    ``placed.json``. Files without any of Python are those of a system that was not written with Shoal.
    """
    placed = msgspec.json.decode(files[PLACED], type=Placed) if PLACED in files else None
    seen = msgspec.json.decode(files[OBSERVED], type=Observed) if OBSERVED in files else None
    paths = () if any(path.endswith(".py") for path in files) else tuple(path for path in files if path != ".env")
    with importing(written(root, files)):
        beside = Beside(placed=placed)
        return Check(Project(root=root), only=only, observed=seen, beside=beside, paths=paths).run()


def found(report: Report) -> list[tuple[str, str]]:
    """List code and place of what is found."""
    return [(finding.code, f"{finding.where.file}:{finding.where.line}") for finding in report.findings]
