"""Names within a cloud's limits, by one law. Pure."""

import hashlib

from shoal.model import names
from shoal.model.names import shorten

_TAKEN = frozenset(
    {"admin", "all", "analyse", "analyze", "and", "any", "array", "as", "asc", "both", "case", "cast", "check"}
    | {"collate", "column", "constraint", "create", "default", "deferrable", "desc", "distinct", "do", "else", "end"}
    | {"except", "false", "fetch", "for", "foreign", "from", "grant", "group", "having", "in", "initially"}
    | {"intersect", "into", "lateral", "leading", "limit", "not", "null", "offset", "on", "only", "or", "order"}
    | {"placing", "primary", "references", "returning", "root", "select", "some", "symmetric", "table", "then", "to"}
    | {"trailing", "true", "union", "unique", "user", "using", "variadic", "when", "where", "window", "with"}
    | {"administrator", "guest", "public", "sa", "superuser"}
    | {"rdsadmin", "azuresu", "cloudsqladmin", "cloudsqlsuperuser"}
)
"""Words that an engine keeps for itself (PostgreSQL, appendix C) or its operator does."""


def joined(*parts: str, limit: int = 63) -> str:
    """Join names; too long ones keep their end and a hash of the whole, which begins with a letter."""
    name = "-".join(part.replace("_", "-") for part in parts if part)
    while "--" in name:  # some services refuse two hyphens, so they are told apart by a hash
        name = f"{name.replace('--', '-')}-{hashlib.sha256(name.encode()).hexdigest()[:4]}"
    short = shorten(name, limit)
    return short if short == name else f"h{shorten(name, limit - 1)}"


def owner(service: str) -> str:
    """Name a service's own database and its user, as databases that others run take them."""
    name = names.database(service)
    return f"{name}_own" if name in _TAKEN else name


def plain(*parts: str, limit: int) -> str:
    """Join names into lower-case letters and digits alone, with a mark of the whole at the end."""
    whole = "-".join(part for part in parts if part)
    name = "".join(sign for sign in whole if sign.isalnum())
    mark = hashlib.sha256(whole.encode()).hexdigest()[:6]
    return f"{name[: limit - len(mark)]}{mark}"
