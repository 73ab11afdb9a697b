"""What a command comes to."""

from collections.abc import Callable

Run = Callable[..., tuple[int, str, str]]
"""From the words that are typed to the exit code, the output, and what is said beside it."""
