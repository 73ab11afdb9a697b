"""What authors write to let answers be kept."""

from collections.abc import Sequence

from shoal.errors import DeclarationError
from shoal.model.caching import Cache as CacheModel


def Cache(  # noqa: N802 - reads as what it declares
    seconds: float, *, shared: bool = False, vary: Sequence[str] = (), invalidated_by: Sequence[type] = ()
) -> CacheModel:
    """Keep the answers of an operation.

    Args:
        seconds: For so long, unless one of the events comes first.
        shared: Proxies and other clients may keep them too; refused where a principal is asked for.
        vary: Further request headers on which they depend.
        invalidated_by: Events after which every kept answer is old, in all replicas.
    """
    return CacheModel(
        seconds=seconds,
        shared=shared,
        vary=tuple(name.lower() for name in vary),
        invalidated_by=tuple(_id(kind) for kind in invalidated_by),
    )


def _id(kind: type) -> str:
    found = getattr(getattr(kind, "__shoal_event__", None), "id", "")
    if not found:
        raise DeclarationError(f"{kind.__name__} is not an event", hint='decorate it: @event("owner.happened")')
    return str(found)
