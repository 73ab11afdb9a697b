"""Systems of one service with migrations, as they are checked."""

from pathlib import Path

from shoal.check.finding import Reported
from tests.check.projects import report_of

SYSTEM = """\
from shoal import Postgres, Service, System

shop = Service("shop", store=Postgres())
system = System("shop", services=[shop])
"""
FIRST = (
    "CREATE TABLE goods (sku varchar(20) PRIMARY KEY, name text NOT NULL, weight int);\nCREATE TABLE bins (id int);\n"
)


def migrated(root: Path, code: str, *later: str, settings: str = "") -> list[Reported]:
    """List what a rule finds in a service with two tables and these further migrations."""
    files = {f"migrations/{n:03}_step.sql": text for n, text in enumerate((FIRST, *later), 1)}
    files |= {"system.py": SYSTEM, "pyproject.toml": f"[tool.shoal]\nsystem = 'system:system'\n{settings}"}
    return list(report_of(root, files, code).findings)
