"""What a failure of a handler, step or run means, how it is told, and how long to wait after it."""

import random
import re

from shoal.errors import CallFailed, Unavailable

_NOT_REACHED = (0, 502, 503)
"""Statuses of a call that found its callee absent."""

LONGEST_ASKED = 300.0
"""Seconds after which it is asked again, whatever it said."""

_CONTROL = re.compile(r"[\x00-\x1f\x7f]+")
_LONGEST = 1000
"""Characters of a line."""


def is_outage(error: BaseException) -> bool:
    """Tell whether something was absent; timeouts and refusals can be the work's own fault."""
    return isinstance(error, Unavailable) or (type(error) is CallFailed and error.status in _NOT_REACHED)


def asked(error: BaseException) -> float:
    """Say for how many seconds what was absent asked to be left alone; whoever says years is asked again sooner."""
    return min(max(error.after, 0.0), LONGEST_ASKED) if isinstance(error, Unavailable) else 0.0


def pause(backoff: float, attempt: int, *, most: float, jitter: float | None = None) -> float:
    """Say how many seconds to wait after an attempt: twice as long each time, and never quite the same.

    Args:
        backoff: Seconds after the first.
        attempt: Which one failed, from 1.
        most: Seconds that no pause is longer than.
        jitter: Share of its second half that is waited, from 0 to 1; drawn when nothing is said.
    """
    share = random.random() if jitter is None else jitter  # noqa: S311 - spreads load
    return min(backoff * 2.0 ** min(attempt - 1, 20), most) * (0.5 + share / 2)


def spell(error: BaseException) -> str:
    """Name an error on one line."""
    try:
        text = str(error) or ("it took too long" if isinstance(error, TimeoutError) else "")
    except Exception:  # noqa: BLE001 - an author's exception may not even be printable
        text = "(an error that cannot be printed)"
    return plain(f"{type(error).__name__}: {text}")


def plain(text: str) -> str:
    """Write any text as one line of bounded length that stores and headers can hold."""
    return " ".join(_CONTROL.sub(" ", text).encode("utf-8", "replace").decode().split())[:_LONGEST]
