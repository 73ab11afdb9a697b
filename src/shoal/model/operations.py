"""Operations as an OpenAPI document of ours has them, in the form in which they are compared."""

from typing import Any

import msgspec

from shoal.errors import ContractError
from shoal.model.contracts import LockedService
from shoal.model.service import Schema, shape

JSON = "application/json"


class Sent(msgspec.Struct, frozen=True, kw_only=True):
    """A body in one media type."""

    schema: Any = True


class Body(msgspec.Struct, frozen=True, kw_only=True):
    """The body of a request."""

    required: bool = False
    content: dict[str, Sent] = {}

    @property
    def schema(self) -> Any:
        """The schema of its JSON form."""
        return self.content.get(JSON, Sent()).schema


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """An answer."""

    content: dict[str, Sent] = {}

    @property
    def schema(self) -> Any:
        """The schema of its JSON form; None without a body."""
        return self.content[JSON].schema if JSON in self.content else None


class Given(msgspec.Struct, frozen=True, kw_only=True):
    """One parameter."""

    name: str
    place: str = msgspec.field(name="in")
    required: bool = False
    schema: Any = True


class Served(msgspec.Struct, frozen=True, kw_only=True):
    """One operation, without method and path."""

    name: str = msgspec.field(name="operationId")
    summary: str = ""
    parameters: tuple[Given, ...] = ()
    body: Body | None = msgspec.field(default=None, name="requestBody")
    responses: dict[str, Answer]
    security: tuple[dict[str, tuple[str, ...]], ...] = ()
    internal: bool = msgspec.field(default=False, name="x-internal")
    roles: tuple[str, ...] = msgspec.field(default=(), name="x-roles")
    claims: dict[str, tuple[str | bool, ...]] = msgspec.field(default_factory=dict, name="x-claims")
    consumers: tuple[str, ...] = msgspec.field(default=(), name="x-consumers")

    @property
    def status(self) -> str:
        """Status of a success."""
        return next((status for status in self.responses if status.isdigit()), "")

    @property
    def answer(self) -> Any:
        """Schema of the answer's body; None without one."""
        return self.responses[self.status].schema if self.status else None

    @property
    def kind(self) -> str:
        """Who may call it."""
        return "internal" if self.internal else "principal" if self.security else "anyone"

    @property
    def scopes(self) -> frozenset[str]:
        """Scopes of which a principal needs all."""
        return frozenset(scope for demand in self.security for scopes in demand.values() for scope in scopes)


class Operation(msgspec.Struct, frozen=True, kw_only=True):
    """One operation of a service."""

    service: str
    file: str
    method: str
    path: str
    served: Served
    named: dict[str, Schema]
    """What its schemas refer to."""

    @property
    def title(self) -> str:
        """Method and path, as people say it."""
        return f"{self.method.upper()} {self.path}"

    @property
    def route(self) -> tuple[str, str, str]:
        """What a request of it looks like, whatever its parameters are called."""
        return (self.service, self.method, shape(self.path))


class _Components(msgspec.Struct, frozen=True, kw_only=True):
    schemas: dict[str, Schema] = {}


class _Document(msgspec.Struct, frozen=True, kw_only=True):
    paths: dict[str, dict[str, Served]]
    components: _Components = _Components()


def operations(service: LockedService) -> tuple[Operation, ...]:
    """Read the operations of a document, or raise `ContractError`."""
    try:
        document = msgspec.convert(service.document, _Document)
    except msgspec.ValidationError as error:
        raise ContractError(
            f"cannot read the contract {service.path}: {error}",
            hint="restore it from version control, or remove it and write it anew: shoal contract lock",
        ) from error
    return tuple(
        Operation(
            service=service.name,
            file=service.path,
            method=method,
            path=path,
            served=served,
            named=document.components.schemas,
        )
        for path, methods in document.paths.items()
        for method, served in methods.items()
    )
