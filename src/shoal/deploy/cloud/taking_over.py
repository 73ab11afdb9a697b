"""What a person reads about taking over, whatever the cloud. Pure."""

from collections.abc import Iterable, Iterator

ENDED = "`terraform apply -var take_over=true -var fenced=true`"
"""What ends the services of a second region that works."""


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
