"""The one variable by which a second region takes over, and what depends on it."""

from collections.abc import Iterator

from shoal.deploy.terraform.printer import expression
from shoal.deploy.terraform.values import Block, Raw, Value, items

TAKEN = "var.take_over"
"""Whether it has taken over."""


def variable() -> Iterator[Block]:
    """Write the variable."""
    why = (
        "Whether this region takes over: its databases no longer follow the first region's, which cannot be undone, "
        "its services run, and clients are led here. End what runs in the first region before, if it is there."
    )
    body = items({"type": Raw("bool"), "default": False, "description": why})
    yield Block(kind="variable", labels=("take_over",), body=body)


def either(taken: Value, passive: Value) -> Raw:
    """Choose between what there is once it has taken over, and what there is before."""
    return Raw(f"{TAKEN} ? {expression(taken)} : {expression(passive)}")
