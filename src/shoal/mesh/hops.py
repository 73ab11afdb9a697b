"""Who reaches whom: the names of the ways between listeners."""

from shoal.model.plan import ServicePlan


def hop(caller: str, callee: str) -> str:
    """Name the cluster by which `caller` reaches `callee`."""
    return f"{caller}.{callee}"


def callees(service: ServicePlan) -> list[str]:
    """List the services that `service` calls, each once, sorted."""
    return sorted({call.service for call in service.calls})
