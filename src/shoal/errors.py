"""Every exception of Shoal.

::

    ShoalError
    ├── DeclarationError      the author's declaration is impossible; carries file:line
    ├── PlanError             the target cannot carry the system; carries the findings
    ├── HostError             this machine lacks something: a wheel, a port, space, a platform
    ├── EngineError           an engine failed, refused or cannot be reached
    │   ├── Unavailable       it cannot be reached now; trying again may help
    │   │   └── Contended     others hold what it needs, such as rows in another order: a deadlock
    │   │   └── OutboxFull    as many events wait for the broker as may; nothing was changed
    │   ├── TimedOut          it took too long over what it was asked
    │   ├── TooLarge          a transaction changes more than it commits at once; nothing was done
    │   ├── Unstorable        it cannot hold a value, such as a number too large for its column
    │   └── Conflict          it refused a change that contradicts what it holds
    │       └── Duplicate     it already holds this message or this key
    ├── Undeclared            code used what its service never declared
    ├── MigrationError        a migration was changed, is missing or failed
    ├── SettingsError         settings are missing or malformed; names the real variables
    ├── ContractError         a file of contracts cannot be read, or what was declared would break it
    ├── StepRefused           a step of a saga that will never succeed, so that the saga is undone at once
    ├── Disconnected          the client of a socket has gone
    ├── Problem               an answer to the caller: RFC 9457 problem details
    └── CallFailed            a call to another service failed
        ├── CallTimedOut      its deadline passed
        ├── CallRefused       the mesh or the callee refused the caller
        ├── CallRejected      the callee answered with a problem of class 4xx
        └── CircuitOpen       it was not made: others to the same callee have just failed
"""

from collections.abc import Mapping


class ShoalError(Exception):
    """Say what was attempted, with which value, where, and what to do.

    Args:
        message: What was attempted and what went wrong.
        hint: What to do about it.
        where: ``file:line`` of the author's code, when there is one.
    """

    def __init__(self, message: str, *, hint: str = "", where: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.where = where

    def __str__(self) -> str:
        """Render place, message and hint on up to two lines."""
        head = f"{self.where}: {self.message}" if self.where else self.message
        return f"{head}\nhint: {self.hint}" if self.hint else head


class DeclarationError(ShoalError):
    """Refuse an impossible declaration."""


class Disconnected(ShoalError):
    """Tell the handler of a socket that its client has gone; there is nothing to do about it."""


class PlanError(ShoalError):
    """Refuse to run a system on a target that cannot carry it."""


class HostError(ShoalError):
    """Report what this machine lacks."""


class EngineError(ShoalError):
    """Report a failure of an engine."""


class Unavailable(EngineError):
    """Report an engine that cannot be reached now.

    Args:
        message: What was attempted and what went wrong.
        hint: What to do about it.
        where: ``file:line`` of the author's code, when there is one.
        after: Seconds for which it asked to be left alone (``Retry-After``); 0 when it said nothing.
    """

    def __init__(self, message: str, *, hint: str = "", where: str = "", after: float = 0.0) -> None:
        super().__init__(message, hint=hint, where=where)
        self.after = after


class Contended(Unavailable):
    """Report that others held what the change needed; alone, or a moment later, it will do."""


class OutboxFull(Unavailable):
    """Refuse to announce one more event while too many wait for the broker."""


class TimedOut(EngineError):
    """Report a statement that took longer than the engine lets it; again, it may well take as long."""


class TooLarge(EngineError):
    """Report a transaction that changes more than the engine commits at once; nothing was done."""


class Unstorable(EngineError):
    """Report a value that no row of the engine can hold."""


class Conflict(EngineError):
    """Report a change that contradicts what the engine holds."""


class Duplicate(Conflict):
    """Report a message or key that was already recorded."""


class Undeclared(ShoalError):
    """Refuse the use of what the service never declared."""


class MigrationError(ShoalError):
    """Report a migration that was changed, is missing or failed."""


class SettingsError(ShoalError):
    """Report missing or malformed settings by their environment variables."""


class ContractError(ShoalError):
    """Report a file of contracts that is none, or a change that is not locked."""


class StepRefused(ShoalError):
    """Report, from a step of a saga, that it did not happen and never will: the saga is undone without trying again."""


class Problem(ShoalError):
    """Answer the caller with RFC 9457 problem details.

    Args:
        status: HTTP status, 400 to 599.
        code: Stable, kebab-case name of the problem; becomes ``type``.
        detail: What happened, for this occurrence.
        extra: Further members of the document.
        headers: Further response headers.
    """

    def __init__(
        self,
        status: int,
        code: str,
        detail: str = "",
        *,
        extra: Mapping[str, object] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(f"{status} {code}: {detail}" if detail else f"{status} {code}")
        self.status = status
        self.code = code
        self.detail = detail
        self.extra = dict(extra or {})
        self.headers = dict(headers or {})


class CallFailed(ShoalError):
    """Report a failed call to another service.

    Args:
        target: Callee and method, as ``products.prices``.
        status: HTTP status of the answer, 0 when there was none.
        code: Problem code of the answer, empty when it had none.
        detail: Detail of the answer, or why there was none.
    """

    def __init__(self, target: str, *, status: int = 0, code: str = "", detail: str = "") -> None:
        super().__init__(f"call to {target} failed ({status or 'no answer'}{f' {code}' if code else ''}): {detail}")
        self.target = target
        self.status = status
        self.code = code
        self.detail = detail


class CallTimedOut(CallFailed):
    """Report a call whose deadline passed."""


class CallRefused(CallFailed):
    """Report a call that the mesh or the callee refused."""


class CallRejected(CallFailed):
    """Report a call that the callee answered with a problem of class 4xx."""


class CircuitOpen(CallFailed):
    """Report a call that was not made, because others to the same callee have just failed.

    Args:
        target: Callee and method.
        detail: Which circuit is open.
        after: Seconds until one is made again.
    """

    def __init__(self, target: str, *, detail: str, after: float) -> None:
        super().__init__(target, detail=f"{detail}; it is tried again in {after:.1f} s")
        self.after = after
