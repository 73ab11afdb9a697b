"""Which operations leave a note of who asked for them."""

from shoal.model.service import path_parameters
from shoal.service.declare import EndpointDeclaration, Service
from shoal.service.personal import marks_of
from shoal.service.records import personal_data


def is_audited(service: Service, declared: EndpointDeclaration) -> bool:
    """Tell whether commands are recorded: as declared, else where a role is demanded to change something."""
    operation = declared.operation
    if operation.audited is not None:
        return operation.audited
    return service.store is not None and bool(operation.access.roles) and operation.method != "GET"


def hidden_in_path(service: Service, declared: EndpointDeclaration) -> frozenset[str]:
    """Name the parameters of the path that nobody may read.

    Those are the ones that the handler or its contract calls personal, and those called as a personal field of the
    service's records and events is.
    """
    functions = [function for function in (declared.handler, declared.implements) if function is not None]
    marked = {name for function in functions for name in marks_of(function)}
    known = {field.rpartition(".")[2] for field in personal_data(service)}
    return frozenset(path_parameters(declared.operation.path)) & (marked | known)
