"""What changes together, and who changes it: evidence from git.

The degree of coupling is that of A. Tornhill ("Your Code as a Crime Scene", Pragmatic Bookshelf 2015): commits that
touch both, over the average number of commits that touch either.
"""

from collections.abc import Mapping
from itertools import combinations

import msgspec

from shoal.check.fit.evidence import Commit, Evidence

SWEEPING = 30
"""Files of a commit beyond which it says nothing about what belongs together: a formatter, a move."""


class Changes(msgspec.Struct, frozen=True, kw_only=True):
    """Commits of services."""

    commits: int
    """Commits that touched files of services."""
    alone: int
    """Those of them that touched one service."""
    swept: int
    """Commits that touched more than `SWEEPING` files, and are left out."""
    touched: dict[str, int]
    """Service → commits that touched it."""
    together: dict[tuple[str, str], int]
    """Two services, in the order of their names → commits that touched both."""
    authors: dict[str, frozenset[str]]
    """Service → who touched it."""
    people: int
    """Authors of anything."""

    def shared(self, one: str, other: str) -> int:
        """Count the commits that touched both."""
        return self.together.get((min(one, other), max(one, other)), 0)

    def coupling(self, one: str, other: str) -> float:
        """Return the degree of coupling, from 0 to 1."""
        touched = self.touched.get(one, 0) + self.touched.get(other, 0)
        return 2 * self.shared(one, other) / touched if touched else 0.0


def changes(evidence: Evidence) -> Changes | None:
    """Count the commits of services; None without a history."""
    if evidence.history is None:
        return None
    homes = {service.name: service.home for service in evidence.services if service.home}
    touched: dict[str, int] = dict.fromkeys(homes, 0)
    together: dict[tuple[str, str], int] = {}
    authors: dict[str, set[str]] = {name: set() for name in homes}
    commits = alone = swept = 0
    for commit in evidence.history.commits:
        names = concerned(commit, homes)
        for name in names:
            authors[name].add(commit.author)
        if commit.first or len(commit.paths) > SWEEPING:
            swept += not commit.first
            continue
        commits += bool(names)
        alone += len(names) == 1
        for name in names:
            touched[name] += 1
        for one, other in combinations(names, 2):
            together[one, other] = together.get((one, other), 0) + 1
    return Changes(
        commits=commits,
        alone=alone,
        swept=swept,
        touched=touched,
        together=together,
        authors={name: frozenset(who) for name, who in authors.items()},
        people=len({commit.author for commit in evidence.history.commits}),
    )


def concerned(commit: Commit, homes: Mapping[str, str]) -> list[str]:
    """List the services of which a commit touched a file, by name."""
    found = {name for path in commit.paths for name, home in homes.items() if within(path, home)}
    return sorted(found)


def within(path: str, home: str) -> bool:
    """Tell whether a file is a home or lies in it."""
    return path == home or path.startswith(f"{home}/")


def authors_of(evidence: Evidence, files: tuple[str, ...]) -> frozenset[str] | None:
    """Say who touched one of these files; None where nobody knows, or nobody did."""
    if evidence.history is None or not files:
        return None
    wanted = set(files)
    found = frozenset(c.author for c in evidence.history.commits if not wanted.isdisjoint(c.paths))
    return found or None
