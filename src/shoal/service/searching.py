"""From declared indexes to the pure model."""

from shoal.errors import DeclarationError
from shoal.model.search import SearchUse
from shoal.service.declare import Service
from shoal.service.search import index_mark, is_indexed


def describe_search(service: Service) -> SearchUse | None:
    """Describe a service's indexes as pure data; refuse a read model that is an index and is nowhere searched."""
    declared = service.search
    indexes = declared.indexes if declared is not None else ()
    for kind in [kind for projection in service.projections for kind in projection.records]:
        if is_indexed(kind) and kind not in indexes:
            raise DeclarationError(
                f"service {service.name} keeps {kind.__name__}, an index, and does not say where it is searched",
                hint=f"add it: Service({service.name!r}, search=PostgresSearch(indexes=[..., {kind.__name__}]))",
                where=service.source,
            )
    if declared is None:
        return None
    return SearchUse(
        production=declared.production, why=declared.why, indexes=tuple(index_mark(kind).index for kind in indexes)
    )
