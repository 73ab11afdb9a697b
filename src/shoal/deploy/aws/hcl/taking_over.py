"""The variables by which a second region takes over from a first, and what depends on them."""

from collections.abc import Iterator

from shoal.deploy.aws.hcl.context import Context
from shoal.deploy.aws.resources import Cache, Documents, Postgres
from shoal.deploy.cloud.linked import SPREADING
from shoal.deploy.terraform.printer import expression
from shoal.deploy.terraform.values import Block, Raw, Value, items

TAKEN = "var.take_over"
"""Whether it has taken over."""


FENCED = "var.fenced"
"""Whether a region is kept from writing, since the other one does."""


def variables(context: Context) -> Iterator[Block]:
    """Write the variables of a region that has another beside it."""
    scope = context.scope
    if scope.passive:
        yield _variable("take_over", _TAKING_OVER)
    if scope.passive and spreads(context):
        yield _variable("spread", SPREADING)
    if scope.passive or scope.environment.standby is not None:
        yield _variable("fenced", _FENCING)


_FENCING = (
    "Whether no task runs here, because the other region writes: two that write are worse than none that answers."
)
_TAKING_OVER = (
    "Whether this region takes over: its databases no longer follow the first region's, which cannot be undone, "
    "its services run, and clients are led here. End what runs in the first region before, if it is there."
)


def spreads(context: Context) -> bool:
    """Tell whether a region has engines that are in two zones."""
    engines: list[Postgres | Documents | Cache] = [*context.all(Postgres), *context.all(Documents), *context.all(Cache)]
    return any(one.copies > 1 for one in engines)


def _variable(name: str, why: str) -> Block:
    body = items({"type": Raw("bool"), "default": False, "description": why})
    return Block(kind="variable", labels=(name,), body=body)


def tasks(count: int, passive: int | None) -> Raw:
    """Count tasks: all of them where this region writes, and in a second one those that run before."""
    if passive is None:
        return Raw(f"{FENCED} ? 0 : {count}")
    return Raw(f"{TAKEN} ? ({FENCED} ? 0 : {count}) : {passive}")


SPREAD = Raw("var.spread")
"""Whether engines are in a second zone."""


def spread(then: Value, before: Value) -> Raw:
    """Choose between an engine in two zones, and in one: until the second is there, whoever needs it waits."""
    return Raw(f"{SPREAD.text} ? {expression(then)} : {expression(before)}")


def either(taken: Value, passive: Value) -> Raw:
    """Choose between what there is once it has taken over, and what there is before."""
    return Raw(f"{TAKEN} ? {expression(taken)} : {expression(passive)}")
