"""What authors write to let answers be kept."""

from collections.abc import Sequence

from shoal.model.caching import Cache as CacheModel
from shoal.service.marks import check_kinds, event_mark, placed
from shoal.service.source import of_caller

_KINDS = {"seconds": float, "shared": bool, "vary": Sequence[str], "invalidated_by": Sequence[type]}


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
    place = of_caller()[1]
    given = {"seconds": seconds, "shared": shared, "vary": vary, "invalidated_by": invalidated_by}
    check_kinds("Cache", given, _KINDS, place)
    with placed(place):
        return CacheModel(
            seconds=seconds,
            shared=shared,
            vary=tuple(name.lower() for name in vary),
            invalidated_by=tuple(event_mark(kind, place).id for kind in invalidated_by),
        )
