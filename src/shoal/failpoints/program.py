"""Which point does what, and when: the language of the environment's variable."""

import os
import re
import time
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Literal, NoReturn, get_args

from shoal.errors import SettingsError, Unavailable
from shoal.failpoints.sites import sites

VARIABLE = "SHOAL_FAILPOINTS"

ONCE = "SHOAL_FAILPOINTS_ONCE"
"""Variable that names a folder in which each point that acted leaves a file, so that no later process acts there again:
without it, whoever ends at a point ends there at every new start."""

EXIT_CODE = 86
"""Of a process that ended at a point."""

Action = Literal["exit", "exception", "unavailable", "hang"]
"""What a point can do.

``exit`` ends the process without any cleanup, ``exception`` raises `Planted`, ``unavailable`` raises `Unavailable` as
if the connection had broken there (after a commit: nobody knows whether it happened), ``hang`` stops the whole process
as SIGSTOP does.
"""

ACTIONS: tuple[Action, ...] = get_args(Action)

_SPELLED = re.compile(r"(?P<name>[\w.:<>-]+)=(?P<action>[a-z]+)(?:@(?P<nth>[1-9]\d*))?")


class Planted(Exception):
    """What a point raises: an exception that nobody expects."""


class Program:
    """Which points do what, and how often each was reached."""

    def __init__(self, actions: Mapping[str, tuple[Action, int]], once: str = "") -> None:
        self._actions = actions
        self._once = Path(once) if once else None
        self.reached: Counter[str] = Counter()

    async def reach(self, name: str) -> None:
        """Count a hit and do what is due."""
        self.reached[name] += 1
        action, nth = self._actions.get(name, (None, 0))
        if action is not None and self.reached[name] == nth and self._is_first(name):
            act(name, action)

    def _is_first(self, name: str) -> bool:
        """Leave a file for a point; False when there is one."""
        if self._once is None:
            return True
        try:
            (self._once / name).touch(exist_ok=False)
        except FileExistsError:
            return False
        return True


def parse(text: str) -> dict[str, tuple[Action, int]]:
    """Read the variable: by name, the action and at which hit it comes; ``@3`` is the third, the first is usual."""
    found: dict[str, tuple[Action, int]] = {}
    known = {point for site in sites() for point in site.points}
    for part in (part.strip() for part in text.split(",") if part.strip()):
        match = _SPELLED.fullmatch(part)
        action = next((a for a in ACTIONS if match is not None and match["action"] == a), None)
        if match is None or action is None:
            raise SettingsError(
                f"{VARIABLE} has {part!r}, which is no point with an action",
                hint=f"write point=action or point=action@3, with one of: {', '.join(ACTIONS)}",
            )
        if match["name"] not in known:
            raise SettingsError(
                f"{VARIABLE} names the point {match['name']!r}, which there is not",
                hint=f"points: {', '.join(sorted(known))}",
            )
        found[match["name"]] = action, int(match["nth"] or 1)
    return found


def act(name: str, action: Action) -> NoReturn:
    """Fail at once."""
    if action == "exit":
        os._exit(EXIT_CODE)
    if action == "exception":
        raise Planted(f"at {name}")
    if action == "unavailable":
        raise Unavailable(f"the connection broke at {name}", hint="it was planted")
    while True:
        time.sleep(3600)  # nothing of this process goes on
