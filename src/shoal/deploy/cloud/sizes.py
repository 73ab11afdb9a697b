"""Whether a word can be a size of an engine. Pure.

Clouds make new families of machines faster than lists are written, so it is the form that is looked at.
"""

import re


def checked(field: str, said: str, usual: re.Pattern[str], *, of: str, example: str) -> None:
    """Refuse what can be no size, which a cloud would refuse after everything before it is made.

    Args:
        field: What the setting is called.
        said: What it says.
        usual: Form of such sizes.
        of: What people call the engine there.
        example: A size that there is.

    Raises:
        ValueError: It is none.
    """
    if not usual.fullmatch(said):
        raise ValueError(f"{field} = {said!r} is no size of {of}; write one such as {example}")
