"""The variables by which a second region takes over from a first, and what depends on them."""

from collections.abc import Iterator

from shoal.deploy.aws.scope import Scope
from shoal.deploy.terraform.printer import expression
from shoal.deploy.terraform.values import Block, Raw, Value, items

TAKEN = "var.take_over"
"""Whether it has taken over."""


FENCED = "var.fenced"
"""In the first of two regions: whether it is kept from writing, since the second has taken over."""


def variables(scope: Scope) -> Iterator[Block]:
    """Write the variable of a region that has another beside it."""
    if scope.passive:
        yield _take_over()
    elif scope.environment.standby is not None:
        why = "Whether no task runs here, because the second region has taken over: two that write are worse than none."
        body = items({"type": Raw("bool"), "default": False, "description": why})
        yield Block(kind="variable", labels=("fenced",), body=body)


def _take_over() -> Block:
    why = (
        "Whether this region takes over: its databases no longer follow the first region's, which cannot be undone, "
        "its services run, and clients are led here. End what runs in the first region before, if it is there."
    )
    body = items({"type": Raw("bool"), "default": False, "description": why})
    return Block(kind="variable", labels=("take_over",), body=body)


def fenced(count: int) -> Raw:
    """Count what the first of two regions has while it is not fenced."""
    return Raw(f"{FENCED} ? 0 : {count}")


def either(taken: Value, passive: Value) -> Raw:
    """Choose between what there is once it has taken over, and what there is before."""
    return Raw(f"{TAKEN} ? {expression(taken)} : {expression(passive)}")
