"""What a service promised by contracts is kept, method by method."""

import typing
from collections.abc import Sequence

from shoal.errors import DeclarationError
from shoal.service.declare import EndpointDeclaration, Service, contract_operations
from shoal.service.marks import Operation
from shoal.service.signature import Signature, plain_kind


def check_contracts(service: Service, signatures: Sequence[Signature]) -> None:
    """Refuse a promise that nothing keeps, and a handler that is not as its contract says."""
    promised = contract_operations(service)
    kept = {e.operation.name for e in service.endpoints if e.implements is not None}
    for name in promised:
        if name not in kept:
            raise DeclarationError(
                f"service {service.name} promises {name} but nothing implements it",
                hint=f"decorate a handler with @{service.name}.implements(...{name})",
                where=service.source,
            )
    for declared, signature in zip(service.endpoints, signatures, strict=True):
        if declared.implements is not None:
            _check_method(declared, declared.operation, signature)


def _check_method(declared: EndpointDeclaration, operation: Operation, signature: Signature) -> None:
    hints = typing.get_type_hints(declared.implements, include_extras=True)
    returned = hints.pop("return", None)
    given = {p.name: p for p in signature.params if p.place != "injected"}
    for name, kind in hints.items():
        wanted, wire = plain_kind(kind)
        if name not in given or given[name].kind != wanted or (wire and given[name].wire != wire):
            spelled = kind.__name__ if isinstance(kind, type) else kind
            raise DeclarationError(
                f"{operation.name} does not take {name}: {spelled} as its contract says",
                hint="give it the contract's parameters; further ones are injected",
                where=signature.source,
            )
    for name, param in given.items():
        if name not in hints and param.required:
            raise DeclarationError(
                f"{operation.name} needs {name!r}, which its contract does not send",
                hint="add it to the contract, give it a default, or offer its type with @service.provide",
                where=signature.source,
            )
    if (returned if returned is not type(None) else None) != signature.returns:
        raise DeclarationError(
            f"{operation.name} answers {signature.returns!r}, its contract says {returned!r}",
            hint="return what the contract says",
            where=signature.source,
        )
