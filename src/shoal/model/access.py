"""Who may call an endpoint. Pure data."""

from typing import Literal

from shoal.errors import DeclarationError
from shoal.model.claims import Claim
from shoal.model.data import Data


class Access(Data, frozen=True, kw_only=True):
    """Who may call an endpoint.

    ``anyone`` and ``principal`` endpoints are reachable through the gateway; ``internal`` ones only by the
    services that declared the call.
    """

    kind: Literal["anyone", "principal", "internal"] = "principal"
    roles: tuple[str, ...] = ()
    """The principal needs one of these; empty asks for none."""
    scopes: tuple[str, ...] = ()
    """The principal needs all of these."""
    claims: tuple[Claim, ...] = ()
    """The principal's token needs all of these."""
    consumers: tuple[str, ...] = ()
    """The principal must be one of these consumers; empty asks for none."""

    def __post_init__(self) -> None:
        """Refuse demands on a principal where none is asked for."""
        if self.kind != "principal" and self.demands:
            raise DeclarationError(
                f"access {self.kind!r} asks for roles or scopes or claims, but no principal is asked for",
                hint="use role(...), scope(...) or claim(...)",
            )

    def __and__(self, other: "Access") -> "Access":
        """Ask for both."""
        if self.kind != "principal" or other.kind != "principal":
            raise DeclarationError(
                f"access {self.kind!r} & {other.kind!r} is no demand", hint="join what principals need"
            )
        for name in ("roles", "consumers"):
            if getattr(self, name) and getattr(other, name):
                raise DeclarationError(
                    f"two lists of {name} are joined, of each of which one would do", hint="write one list"
                )
        return Access(
            roles=self.roles + other.roles,
            scopes=tuple(dict.fromkeys(self.scopes + other.scopes)),
            claims=self.claims + other.claims,
            consumers=self.consumers + other.consumers,
        )

    @property
    def demands(self) -> bool:
        """Whether not every principal will do."""
        return bool(self.roles or self.scopes or self.claims or self.consumers)
