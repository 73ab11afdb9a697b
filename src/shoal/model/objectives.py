"""What a service promises of its answers: how many, and how quick. Pure data."""

import re
from collections.abc import Sequence

from shoal.errors import DeclarationError
from shoal.model.data import Data

DEFAULT = 0.99
"""Share of the requests that are answered in time, where nothing is said."""

_UNITS = {"h": 3600.0, "d": 86_400.0, "w": 604_800.0}
_WINDOW = re.compile(r"([1-9]\d{0,3})([hdw])")
_LONGEST = 366 * 86_400.0


class Objective(Data, frozen=True, kw_only=True):
    """A service level objective, over a rolling window (SRE book, chapter 4; SRE workbook, chapter 2).

    ``Objective(availability=0.999)`` promises that of a thousand requests one fails (a status of 5xx).
    ``Objective(latency=0.3, target=0.99)`` promises that of a hundred answers 99 take 0.3 s at most; requests that
    failed are no answers, they count for the availability alone.
    """

    availability: float = 0.0
    """Share of the requests that do not fail, such as 0.999; 0 promises nothing of it."""
    latency: float = 0.0
    """Seconds within which answers are given; 0 promises nothing of it."""
    target: float = 0.0
    """Share of the answers that are given within `latency`; 0 is 0.99."""
    window: str = "30d"
    """Time over which the promise holds: ``12h``, ``30d``, ``4w``."""

    def __post_init__(self) -> None:
        """Refuse what promises nothing, two things at once, or what no error may ever break."""
        if bool(self.availability) == bool(self.latency):
            raise DeclarationError(
                "an objective promises an availability or a latency",
                hint="write two: Objective(availability=0.999) and Objective(latency=0.3, target=0.99)",
            )
        if self.availability and self.target:
            raise DeclarationError("target= belongs to a latency", hint="Objective(availability=0.999) says it all")
        if not 0.5 <= self.goal <= 0.999_999:
            raise DeclarationError(
                f"{self.goal!r} is no share that can be promised", hint="use 0.5 to 0.999999: 1 leaves no budget at all"
            )
        if self.latency and not 0.001 <= self.latency <= 3600:
            raise DeclarationError(f"a latency of {self.latency!r} s is out of range", hint="use 0.001 to 3600")
        match = _WINDOW.fullmatch(self.window)
        if match is None or self.seconds > _LONGEST:
            raise DeclarationError(f"window={self.window!r} is no time", hint="write 12h, 30d or 4w; at most 366d")

    @property
    def goal(self) -> float:
        """Share of the requests that must be good."""
        return self.availability or self.target or DEFAULT

    @property
    def name(self) -> str:
        """What it is called among those of its endpoint: ``availability`` or ``latency-0.3s``."""
        return "availability" if self.availability else f"latency-{self.latency:g}s"

    @property
    def seconds(self) -> float:
        """Length of its window."""
        return float(self.window[:-1]) * _UNITS[self.window[-1]]

    @property
    def promise(self) -> str:
        """Say it in words: ``99 % within 0.3 s over 30d``."""
        how = "without failure" if self.availability else f"within {self.latency:g} s"
        return f"{self.goal * 100:.6g} % {how} over {self.window}"

    def judge(self, seconds: float, *, failed: bool) -> bool | None:
        """Say whether a request was good; None when it does not count.

        Args:
            seconds: What its answer took.
            failed: Whether it was answered with a status of 5xx.
        """
        if self.availability:
            return not failed
        return None if failed else seconds <= self.latency


def check_objectives(of: str, objectives: Sequence[Objective], where: str = "", *, lasts: bool = False) -> None:
    """Refuse one thing promised twice of the same endpoint or service, and a latency of what `lasts`.

    Raises:
        DeclarationError: It is.
    """
    if lasts and any(objective.latency for objective in objectives):
        raise DeclarationError(
            f"{of} promises a latency, and lasts for as long as somebody listens",
            hint="promise Objective(availability=0.999)",
            where=where,
        )
    names = [objective.name for objective in objectives]
    if twice := next((name for name in names if names.count(name) > 1), ""):
        raise DeclarationError(f"{of} promises {twice} twice", hint="leave one of them out", where=where)


def read_objective(name: str, goal: float, window: str) -> Objective:
    """Make an objective of what the metrics tell of it, or raise `DeclarationError` where that was no objective's."""
    kind, _, seconds = name.partition("-")
    if kind == "availability":
        return Objective(availability=goal, window=window)
    if kind != "latency" or not re.fullmatch(r"[\d.e+-]+s", seconds):
        raise DeclarationError(f"{name!r} is the name of no objective", hint="availability, or such as latency-0.3s")
    return Objective(latency=float(seconds[:-1]), target=goal, window=window)
