"""What a person reads about taking over, whatever the cloud. Pure."""

from collections.abc import Iterable, Iterator, Sequence

ENDED = "`terraform apply -var take_over=true -var fenced=true`"
"""What ends the services of a second region that works."""


def numbered(steps: Iterable[Sequence[str]]) -> Iterator[str]:
    """Give steps their numbers: before the first line of each, with the others below it; one without lines is none."""
    for number, lines in enumerate((one for one in steps if one), 1):
        yield f"{number}. {lines[0]}"
        yield from (f"   {line}" if line else "" for line in lines[1:])


def typed(*lines: str) -> tuple[str, ...]:
    """Show what is typed."""
    return ("", "```", *lines, "```", "")


def commands(by_hand: Iterable[str] = ()) -> Iterator[str]:
    """Say how a second region takes over.

    Args:
        by_hand: Commands that the cloud wants before the variable.
    """
    yield "## Taking over"
    yield ""
    yield "Somebody decides this; nothing does it by itself. Where the first region can still be reached, end its"
    yield "services first: two that write are worse than none that answers."
    yield ""
    yield "```"
    yield "terraform -chdir=.. apply -var fenced=true"
    yield from by_hand
    yield "terraform apply -var take_over=true"
    yield "```"
    yield ""
    yield "From then on each is always applied with it: write `fenced = true` and `take_over = true` into the"
    yield "`terraform.tfvars` of its folder. Pipelines bring versions to the first region; here it is that of the"
    yield "settings, until you apply another."
    yield ""
