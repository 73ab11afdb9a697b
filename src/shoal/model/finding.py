"""What `plan` and `check` say about a system."""

from typing import Literal

import msgspec

Severity = Literal["error", "warning", "info"]


class Finding(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One statement about a system, with its place and its remedy."""

    code: str
    """Stable and never reused, such as ``PLAN-STORE-01``."""
    severity: Severity
    message: str
    where: str = ""
    """``file:line`` of the declaration concerned."""
    help: str = ""
