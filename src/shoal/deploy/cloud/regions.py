"""Whether a word is a region of a cloud, and which one was probably meant. Pure.

Clouds open regions faster than lists are written, so a new one of the usual form is let through.
"""

import re
from collections.abc import Iterable
from difflib import get_close_matches

_NEAR = 0.75
"""From which likeness on, of 1, a word was probably meant."""


def checked(field: str, said: str, known: Iterable[str], usual: re.Pattern[str], *, example: str) -> None:
    """Refuse what is no region.

    Args:
        field: What the setting is called.
        said: What it says.
        known: Regions that there are.
        usual: Form of their names, parts of the world and directions included, so that new ones have it, too.
        example: One of them, for who wrote nothing like any.

    Raises:
        ValueError: It is none; the message names the one that was probably meant.
    """
    every = tuple(known)
    if said in every or usual.fullmatch(said):
        return
    near = get_close_matches(said.lower().replace(" ", ""), every, n=1, cutoff=_NEAR)
    meant = f"did you mean {near[0]}?" if near else f"write one such as {example}"
    raise ValueError(f"{field} = {said!r} is no region; {meant}")
