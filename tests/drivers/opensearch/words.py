"""How a played cluster takes texts apart and compares words: enough to tell a wrong question from a right one."""

from collections.abc import Sequence


def stem(word: str) -> str:
    """Take English endings off, roughly as Porter does."""
    if word.endswith("ing") and len(word) > 5:
        bare = word[:-3]
        return bare[:-1] if bare[-1] == bare[-2] else bare
    return word[:-1] if word.endswith("s") and not word.endswith("ss") and len(word) > 3 else word


def alike(asked: str, word: str) -> bool:
    """Compare as ``fuzziness: AUTO`` does: no slip in two letters, one in five, two in more."""
    return distance(asked, word) <= (0 if len(asked) < 3 else 1 if len(asked) < 6 else 2)


def distance(one: str, other: str) -> int:
    """Count slips: a letter too many, too few or another, or two that changed places."""
    if abs(len(one) - len(other)) > 2:
        return 3
    before: list[int] = []
    row = list(range(len(other) + 1))
    for i, letter in enumerate(one, 1):
        older, before, row = before, row, [i]
        for j, there in enumerate(other, 1):
            best = min(before[j] + 1, row[j - 1] + 1, before[j - 1] + (letter != there))
            if i > 1 and j > 1 and letter == other[j - 2] and one[i - 2] == there:
                best = min(best, older[j - 2] + 1)
            row.append(best)
    return row[-1]


def places(tokens: Sequence[str], phrase: Sequence[str]) -> list[int]:
    """List where a phrase begins among tokens."""
    size = len(phrase)
    return [n for n in range(len(tokens) - size + 1) if size and list(tokens[n : n + size]) == list(phrase)]
