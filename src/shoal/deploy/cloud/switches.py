"""The variables by which a second region takes over from the first, and what depends on them. Pure."""

from collections.abc import Iterator

from shoal.deploy.terraform.printer import expression
from shoal.deploy.terraform.values import Block, Raw, Value, items

TAKEN = "var.take_over"
"""Whether the second region has taken over."""

FENCED = "var.fenced"
"""Whether a region is kept from writing, since the other one does."""

SPREAD = "var.spread"
"""Whether engines of a region that has taken over are in a second zone, too."""

_TAKING_OVER = (
    "Whether this region takes over: its databases no longer follow the first region's, which cannot be undone, "
    "and its services run. End what runs in the first region before, if it is there."
)
_SPREADING = (
    "Whether engines here are in a second zone, too. Say it once services answer: until it is done, nothing that "
    "needs them starts."
)
_FENCING = (
    "Whether nothing runs here, because the other region writes: two that write are worse than none that answers."
)


def variable(name: str, type_: str, description: str, *, default: Value) -> Block:
    """Write a variable of a root module."""
    said: dict[str, Value] = {"description": description, "type": Raw(type_), "default": default, "nullable": False}
    return Block(kind="variable", labels=(name,), body=items(said))


def variables(*, passive: bool, spread: bool = False) -> Iterator[Block]:
    """Write what either of two regions is told: whether it works, and whether what runs in it is ended.

    Args:
        passive: Whether this is the second region.
        spread: Whether it has databases that are in two zones once it works.
    """
    if passive:
        yield variable("take_over", "bool", _TAKING_OVER, default=False)
    if passive and spread:
        yield variable("spread", "bool", _SPREADING, default=False)
    yield variable("fenced", "bool", _FENCING, default=False)


def chosen(when: str, then: Value, otherwise: Value) -> Raw:
    """Write an argument that depends on variables."""
    return Raw(f"{when} ? {expression(then)} : {expression(otherwise)}")


def after(then: Value, before: Value = None) -> Raw:
    """Write an argument that changes when the second region takes over."""
    return chosen(TAKEN, then, before)


def spread(then: Value, before: Value) -> Raw:
    """Write an argument that changes when what has taken over is put into a second zone."""
    return chosen(f"{TAKEN} && {SPREAD}", then, before)


def only(one: Block, when: Raw | None = None) -> Block:
    """Write a block that is there once the second region has taken over, or `when` something else is so."""
    content = Block(kind="content", body=one.body)
    return Block(kind="dynamic", labels=(one.kind,), body=items({"for_each": when or after([1], [])}, content))
