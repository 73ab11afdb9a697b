"""Make what a service's providers offer, once per process, and clean up in reverse."""

import inspect
from collections.abc import Callable
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from typing import Any

from shoal.errors import DeclarationError
from shoal.service.declare import Service
from shoal.service.signature import analyse_provider, provided_kind
from shoal.service.source import of_function


async def provide(service: Service, values: dict[Any, Any], stack: AsyncExitStack) -> None:
    """Add to `values` what the providers offer, each after those it needs; `stack` cleans up."""
    waiting = [(p, provided_kind(p), analyse_provider(service, p)) for p in service.providers]
    while waiting:
        ready = [entry for entry in waiting if all(param.kind in values for param in entry[2].params)]
        if not ready:
            provider, kind, signature = waiting[0]
            missing = ", ".join(
                getattr(p.kind, "__name__", str(p.kind)) for p in signature.params if p.kind not in values
            )
            raise DeclarationError(
                f"provider of {getattr(kind, '__name__', kind)} needs {missing}, which depends on it or does not exist",
                hint="break the circle",
                where=of_function(provider),
            )
        for entry in ready:
            provider, kind, signature = entry
            if kind not in values:
                values[kind] = await _make(provider, {p.name: values[p.kind] for p in signature.params}, stack)
            waiting.remove(entry)


async def _make(provider: Callable[..., Any], arguments: dict[str, Any], stack: AsyncExitStack) -> Any:
    if inspect.isasyncgenfunction(provider):
        return await stack.enter_async_context(asynccontextmanager(provider)(**arguments))
    if inspect.isgeneratorfunction(provider):
        return stack.enter_context(contextmanager(provider)(**arguments))
    made = provider(**arguments)
    return await made if inspect.isawaitable(made) else made
