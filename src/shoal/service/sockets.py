"""Sockets: endpoints with which a client converses, as a WebSocket."""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from typing import Any, Protocol, TypeVar, Unpack

from shoal.errors import DeclarationError
from shoal.model.service import Method
from shoal.model.sockets import MESSAGE
from shoal.model.sockets import Socket as SocketModel
from shoal.model.streaming import LONGEST
from shoal.service.context import Transaction
from shoal.service.marks import Options, check_kinds, event_mark, placed
from shoal.service.source import of_caller, of_function

In = TypeVar("In", covariant=True)  # noqa: PLC0105 - as authors read it: Socket[In, Out]
Out = TypeVar("Out", contravariant=True)  # noqa: PLC0105
T = TypeVar("T")
H = TypeVar("H", bound=Callable[..., Awaitable[None]])
_KINDS = {"on": Sequence[type], "rate": float, "idle": float, "largest": int}


class Socket(Protocol[In, Out]):
    """A conversation with one client; it is accepted when the handler first reads or sends.

    Until then a `Problem` refuses the upgrade with its own status. When the handler returns, it is closed (1000).
    """

    def __aiter__(self) -> AsyncIterator[In]:
        """Iterate over the client's messages until it has gone, or the process is about to."""
        ...

    async def send(self, message: Out) -> None:
        """Send a message; wait while the client is slow. `Disconnected` when it has gone."""
        ...


class Transact(Protocol):
    """Runs one unit of work in a transaction of its own, as often as a conversation has something to do."""

    async def __call__(self, work: Callable[[Transaction], Awaitable[T]]) -> T:
        """Commit what `work` does, and return what it returns; nothing of it happens when it raises."""
        ...


class SocketDeclarations:
    """The part of `Service` on which sockets are declared."""

    def socket(
        self, path: str, *, on: Sequence[type] = (), rate: float = 20.0, idle: float = 300.0, **options: Unpack[Options]
    ) -> Callable[[H], H]:
        """Serve a WebSocket at `path`; one parameter of the handler is a ``Socket[In, Out]``.

        Args:
            path: Path template.
            on: Events after which its `Watch` looks again.
            rate: Messages each second that a client may send.
            idle: Seconds in which neither side says anything, after which it ends.
            options: Those of every operation; ``timeout`` is how long it lasts, an hour when nothing is said,
                ``largest`` the bytes of a message, 64 KiB when nothing is said.
        """
        options.setdefault("timeout", LONGEST)
        options.setdefault("attempts", 1)
        place, largest = of_caller()[1], options.pop("largest", MESSAGE)
        given = {"on": on, "rate": rate, "idle": idle, "largest": largest}
        check_kinds(f"socket {path}", given, _KINDS, place)
        with placed(place):
            events = tuple(event_mark(kind, place).id for kind in on)
            socket = SocketModel(events=events, largest=largest, rate=rate, idle=idle)

        def declare(handler: H) -> H:
            _refuse_answers(path, options, of_function(handler))
            endpoint: Callable[[H], H] = self._endpoint("GET", path, options, socket=socket)
            return endpoint(handler)

        return declare

    def _endpoint(self, method: Method, path: str, options: Options, **edge: Any) -> Callable[[Any], Any]:
        raise NotImplementedError


def _refuse_answers(path: str, options: Options, where: str) -> None:
    """Refuse what is said of an answer, which a conversation has not."""
    for option in ("status", "idempotent", "compress", "cache", "audited"):
        if option in options:
            raise DeclarationError(
                f"socket {path} says {option}=, which is about answers", hint="leave it out", where=where
            )
