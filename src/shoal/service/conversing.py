"""What the handler of a socket may take, and what it says of its messages."""

import typing
from typing import Any

from shoal.errors import DeclarationError
from shoal.service.context import Transaction
from shoal.service.marks import Operation
from shoal.service.signature import Signature
from shoal.service.sockets import Transact


def messages(signature: Signature) -> tuple[Any, Any] | None:
    """Return the types of a socket's messages, in and out; None for an endpoint that is none."""
    found = signature.at("socket")
    return typing.cast("tuple[Any, Any]", typing.get_args(found[0].kind)) if found else None


def check_socket(operation: Operation, signature: Signature) -> None:
    """Refuse a socket without its parameter, the parameter without a socket, and a transaction as long as it."""
    sockets, declared = signature.at("socket"), operation.edge.socket is not None
    if declared and len(sockets) != 1:
        raise DeclarationError(
            f"socket {operation.name} has {len(sockets)} parameters that are one",
            hint=f"write: async def {operation.name}(socket: Socket[In, Out], ...) -> None",
            where=operation.source,
        )
    kinds = {param.kind for param in signature.params}
    if not declared and (sockets or Transact in kinds):
        raise DeclarationError(
            f"{operation.name} is no socket and asks for what only a socket has",
            hint=f'declare it with @service.socket("{operation.path}")',
            where=operation.source,
        )
    if declared and Transaction in kinds:
        raise DeclarationError(
            f"socket {operation.name} asks for a transaction, which would last as long as it",
            hint="take `transact: Transact`, and give it what is done with each message",
            where=operation.source,
        )
    if declared and signature.returns is not None:
        raise DeclarationError(
            f"socket {operation.name} returns something, which nobody gets",
            hint="annotate it `-> None`, and send it",
            where=operation.source,
        )
