"""What a person reads about taking over, whatever the cloud. Pure."""

from collections.abc import Iterable, Iterator, Sequence

from shoal.deploy.cloud.steps import typed

ENDED = "`terraform apply -var take_over=true -var fenced=true`"
"""What ends the services of a second region that works."""


def taken(version: str, before: Iterable[Sequence[str]] = (), *, spread: bool) -> Iterator[Sequence[str]]:
    """List the steps by which a second region takes over, in their order.

    Args:
        version: Of the images that are started there.
        before: Steps that the cloud wants before the variable.
        spread: Whether it has databases that are put into a second zone afterwards.
    """
    yield (
        "Where the first region can still be reached, end its services: two that write are worse than none that",
        "answers. Write `fenced = true` into the `terraform.tfvars` of its folder.",
        *typed("terraform -chdir=.. apply -var fenced=true"),
        "Where both regions answer, as when you try this, wait until no copy is behind: then nothing is lost.",
    )
    yield from before
    yield (
        f"Apply this folder. It starts version {version}, as the settings say: where the first region ran another, say",
        "so and write these files anew before. Write `take_over = true` into its `terraform.tfvars`.",
        *typed("terraform apply -var take_over=true"),
    )
    if spread:
        yield (
            "When it serves, put its databases into a second zone, too, and write `spread = true` beside that:",
            *typed("terraform apply -var take_over=true -var spread=true"),
        )


def decided() -> Iterator[str]:
    """Say who takes over."""
    yield "## Taking over"
    yield ""
    yield "Somebody decides this; nothing does it by itself."
    yield ""
