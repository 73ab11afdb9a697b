"""What lies where a system is deployed from, as a rule reads it: files against the model, bills against budgets."""

from typing import Literal

import msgspec


class Changed(msgspec.Struct, frozen=True, kw_only=True):
    """One file that is not what the system says."""

    path: str
    """From the folder."""
    change: Literal["added", "changed", "removed"]
    """What writing it anew would do."""


class Deployed(msgspec.Struct, frozen=True, kw_only=True):
    """A folder that `shoal deploy` has written."""

    folder: str
    command: str
    """Which writes it anew."""
    changes: tuple[Changed, ...] = ()
    problem: str = ""
    """Why it could not be compared."""


class Bill(msgspec.Struct, frozen=True, kw_only=True):
    """What a month in one environment is expected to cost."""

    target: str
    """File of the environment."""
    name: str
    budget: int
    """Dollars a month."""
    expected: float = 0.0
    high: float = 0.0
    assumed: bool = True
    """Whether nobody says how much it is used."""
    problem: str = ""
    """Why it could not be counted."""


class Placed(msgspec.Struct, frozen=True, kw_only=True):
    """All of it."""

    deployed: tuple[Deployed, ...] = ()
    bills: tuple[Bill, ...] = ()
