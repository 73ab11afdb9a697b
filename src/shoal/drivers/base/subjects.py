"""Subjects of messages and the patterns over them, as NATS defines them: pure."""

from collections.abc import Iterable


def covers(patterns: Iterable[str], subject: str) -> bool:
    """Say whether one of `patterns` means `subject`: ``*`` is any one token, a last ``>`` is one or more."""
    tokens = subject.split(".")
    return any(_covers(pattern.split("."), tokens) for pattern in patterns)


def _covers(pattern: list[str], tokens: list[str]) -> bool:
    if pattern[-1] == ">":
        return len(tokens) >= len(pattern) and _covers(pattern[:-1], tokens[: len(pattern) - 1])
    return len(pattern) == len(tokens) and all(p in ("*", token) for p, token in zip(pattern, tokens, strict=True))
