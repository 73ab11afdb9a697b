"""Streams: endpoints that go on telling, as server-sent events."""

import inspect
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from typing import Any, Generic, Protocol, TypeVar, Unpack

import msgspec

from shoal.errors import DeclarationError
from shoal.model.service import Method
from shoal.model.streaming import LONGEST, Stream
from shoal.service.context import Transaction
from shoal.service.marks import Options, check_kinds, event_mark, placed
from shoal.service.source import of_caller, of_function

T = TypeVar("T")
H = TypeVar("H", bound=Callable[..., AsyncIterator[Any]])
_KINDS = {"on": Sequence[type], "heartbeat": float}


class Update(msgspec.Struct, Generic[T], frozen=True, kw_only=True):
    """One event of a stream."""

    data: T
    id: str = ""
    """Where the stream is; a client that comes back says the last one it had (``Last-Event-ID``)."""
    event: str = ""
    """Its kind, for clients that listen to some kinds only."""


class Watch(Protocol):
    """Looks at the store again whenever one of a stream's events has come, and holds nothing meanwhile."""

    def __call__(self, read: Callable[[Transaction], Awaitable[T]]) -> AsyncIterator[T]:
        """Yield what `read` finds, at once and then each time it finds something else."""
        ...


class StreamDeclarations:
    """The part of `Service` on which streams are declared."""

    def stream(
        self, path: str, *, on: Sequence[type] = (), heartbeat: float = 15.0, **options: Unpack[Options]
    ) -> Callable[[H], H]:
        """Serve ``GET path`` as server-sent events.

        Args:
            path: Path template.
            on: Events after which its `Watch` looks again.
            heartbeat: Seconds of silence after which a comment is sent.
            options: Those of every operation but ``cache``, ``idempotent`` and ``status``; ``timeout`` is how long a
                stream lasts, an hour when nothing is said.
        """
        options.setdefault("timeout", LONGEST)
        options.setdefault("attempts", 1)
        place = of_caller()[1]
        check_kinds(f"stream {path}", {"on": on, "heartbeat": heartbeat}, _KINDS, place)
        with placed(place):
            stream = Stream(events=tuple(event_mark(kind, place).id for kind in on), heartbeat=heartbeat)

        def declare(handler: H) -> H:
            generator: bool = inspect.isasyncgenfunction(handler)
            if not generator:
                raise DeclarationError(
                    f"stream {getattr(handler, '__name__', handler)} is no asynchronous generator",
                    hint="write `async def` with `yield Update(data=...)`, and `-> AsyncIterator[Update[T]]`",
                    where=of_function(handler),
                )
            _check(options, handler)
            endpoint: Callable[[H], H] = self._endpoint("GET", path, options, stream=stream)
            return endpoint(handler)

        return declare

    def _endpoint(self, method: Method, path: str, options: Options, **edge: Any) -> Callable[[Any], Any]:
        raise NotImplementedError


def _check(options: Options, handler: Callable[..., Any]) -> None:
    """Refuse what is said of an answer that ends, which a stream is not."""
    odd = [name for name in ("audited", "cache", "idempotent", "status") if options.get(name)]
    if odd:
        raise DeclarationError(
            f"stream {getattr(handler, '__name__', handler)} cannot have {' or '.join(odd)}",
            hint="a stream is answered with 200 and told anew to each client; leave it out",
            where=of_function(handler),
        )
