"""What a rule is: five facts, a page and one function from what is known to findings."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Generic, Literal, TypeVar, get_args

import msgspec

from shoal.check.finding import Finding
from shoal.check.subject import Subject
from shoal.errors import DeclarationError
from shoal.model.finding import Severity

FAMILIES: dict[str, str] = {
    "SH0": "the check itself",
    "SH1": "coupling",
    "SH2": "data",
    "SH3": "resilience",
    "SH4": "security",
    "SH5": "observability",
    "SH6": "contracts",
    "SH7": "deployment",
}
"""The first letters of a code → what its rules are about."""

Need = Literal[
    "source", "plan", "contracts", "observed", "now", "declarations", "calls", "operations", "sizes", "objects",
    "manifests", "values", "messages", "placed",
]  # fmt: skip
"""What has to be known (`Subject.has`), or a rule has nothing to look at."""

NEEDS: dict[Need, str] = {
    "source": "the source of the system",
    "plan": "a plan, which this system does not get",
    "contracts": "locked contracts: shoal contract lock",
    "observed": "what a run has seen: shoal check --observed",
    "now": "the present time",
    "declarations": "declarations of Shoal",
    "calls": "files of Compose or Kubernetes, which tell of calls",
    "operations": "files of OpenAPI, which tell of operations",
    "sizes": "files of Compose or Kubernetes, which tell of containers",
    "objects": "files of Kubernetes",
    "manifests": "files of Kubernetes that it is given: shoal check k8s/",
    "values": "files of Compose or Kubernetes that it is given: shoal check compose.yaml",
    "placed": "what lies where it is deployed from: shoal check --targets",
    "messages": "files of AsyncAPI that it is given: shoal check asyncapi.yaml",
}
"""What is missing where a rule was not asked, and how to bring it."""

_CODE = re.compile(r"[A-Z]{2,10}\d{3,4}")
_NAME = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")


class Nothing(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The options of a rule that has none."""


Options = TypeVar("Options", bound=msgspec.Struct)


@dataclass(frozen=True, kw_only=True)
class Rule(Generic[Options]):
    """One way in which systems go wrong.

    Attributes:
        code: Chosen by hand, never reused: the family and a number, such as ``SH101``. Codes of others begin with
            letters of their own.
        name: The same in words, such as ``chain-too-long``.
        severity: What it counts for where nobody says otherwise.
        summary: One line, which says what is wrong.
        page: The docstring of the rule's module; see `shoal.check.page`.
        find: Yields findings; asks nothing but its arguments.
        options: What an author may set; a frozen struct whose fields all have defaults.
        answers: Names of rows of `shoal.check.references` that it looks at.
        needs: What must be known for the rule to be asked.
        fixable: Whether some of its findings bring edits.
        enabled: Whether it is asked where nobody says otherwise.
    """

    code: str
    name: str
    severity: Severity
    summary: str
    page: str | None
    find: Callable[[Subject, Options], Iterator[Finding]]
    options: type[Options] = Nothing  # type: ignore[assignment]  # the default goes with functions that take `Nothing`
    answers: tuple[str, ...] = ()
    needs: frozenset[Need] = frozenset()
    fixable: bool = False
    enabled: bool = True

    def __post_init__(self) -> None:
        """Refuse a code and a name that nobody could write into a comment, and what nobody would understand."""
        if not _CODE.fullmatch(self.code) or not _NAME.fullmatch(self.name):
            raise DeclarationError(
                f"a rule cannot be called {self.code!r} {self.name!r}",
                hint="two to ten capital letters and a number, such as SH101, and words joined by '-'",
            )
        unknown = sorted(self.needs - NEEDS.keys())
        if unknown:
            raise DeclarationError(
                f"rule {self.code} needs {', '.join(unknown)}, which nobody knows",
                hint=f"there are: {', '.join(NEEDS)}",
            )
        if self.severity not in get_args(Severity):
            raise DeclarationError(
                f"rule {self.code} has the severity {self.severity!r}",
                hint=f"there are: {', '.join(get_args(Severity))}",
            )

    @property
    def family(self) -> str:
        """What rules of its kind are about; the letters of its code for the rules of others."""
        return FAMILIES.get(self.code[:3], self.code.rstrip("0123456789"))


AnyRule = Rule[Any]


def nothing(_: Subject, __: Nothing) -> Iterator[Finding]:
    """Find nothing, for codes that the runner itself tells."""
    yield from ()
