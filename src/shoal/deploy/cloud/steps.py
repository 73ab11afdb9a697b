"""Steps that a person does, as the pages of folders number and show them. Pure."""

from collections.abc import Iterable, Iterator, Sequence


def numbered(steps: Iterable[Sequence[str]]) -> Iterator[str]:
    """Give steps their numbers: before the first line of each, with the others below it; one without lines is none."""
    found = [[*one] for one in steps if one]
    if found and not found[-1][-1]:
        found[-1].pop()  # what follows the last begins with a line of its own
    for number, lines in enumerate(found, 1):
        yield f"{number}. {lines[0]}"
        yield from (f"   {line}" if line else "" for line in lines[1:])


def typed(*lines: str) -> tuple[str, ...]:
    """Show what is typed."""
    return ("", "```", *lines, "```", "")


def table(headers: Sequence[str], rows: Iterable[Sequence[str]]) -> tuple[str, ...]:
    """Show rows below their headers; nothing where there are none."""
    found = [*rows]
    if not found:
        return ()
    lines = (f"| {' | '.join(row)} |" for row in (headers, *found))
    return (next(lines), "|" + "---|" * len(headers), *lines, "")
