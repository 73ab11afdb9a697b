"""Who may call an endpoint."""

from shoal.errors import DeclarationError
from shoal.model.claims import Claim, Value
from shoal.model.service import Access

anyone = Access(kind="anyone")
"""Reachable through the gateway without a token."""

signed_in = Access(kind="principal")
"""Reachable through the gateway with a valid token. This is what an endpoint gets when it says nothing."""

internal = Access(kind="internal")
"""Reachable only by services that declared the call; the gateway does not know it."""


def role(*names: str) -> Access:
    """Ask for a principal that has one of the roles."""
    return Access(kind="principal", roles=_some("role", names))


def scope(*names: str) -> Access:
    """Ask for a principal whose token carries all the scopes."""
    return Access(kind="principal", scopes=_some("scope", names))


def claim(name: str, *values: Value) -> Access:
    """Ask for a principal whose token says one of the values under `name`, alone or in a list."""
    return Access(kind="principal", claims=(Claim(name=name, values=values),))


def consumer(*names: str) -> Access:
    """Ask for one of the declared consumers by name, who calls with its key."""
    return Access(kind="principal", consumers=_some("consumer", names))


def _some(kind: str, names: tuple[str, ...]) -> tuple[str, ...]:
    """Refuse to ask for nothing: everybody who is signed in would have it."""
    if not all(names) or not names:
        raise DeclarationError(f"{kind}() names no {kind}", hint="name one, or say signed_in")
    return names
