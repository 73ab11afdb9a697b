"""Who may call an endpoint."""

from shoal.model.service import Access

anyone = Access(kind="anyone")
"""Reachable through the gateway without a token."""

signed_in = Access(kind="principal")
"""Reachable through the gateway with a valid token. This is what an endpoint gets when it says nothing."""

internal = Access(kind="internal")
"""Reachable only by services that declared the call; the gateway does not know it."""


def role(*names: str) -> Access:
    """Ask for a principal that has one of the roles."""
    return Access(kind="principal", roles=names)


def scope(*names: str) -> Access:
    """Ask for a principal whose token carries all the scopes."""
    return Access(kind="principal", scopes=names)
