"""Addresses in the values of settings: which host is meant, and which database there."""

import re
from collections.abc import Iterator
from typing import NamedTuple


class Address(NamedTuple):
    """What a value leads to."""

    host: str
    """In lower case."""
    database: str = ""
    """The first part of its path, or what a list of words calls the database; empty where nobody says."""
    scheme: str = ""


_URL = re.compile(
    r"(?P<scheme>[A-Za-z][A-Za-z0-9+.:-]{0,40})://(?:[^\s/@]*@)?(?P<hosts>(?::\?|[^\s/?;\"'@<>])+)"
    r"(?P<path>[^\s?;\"'<>]*)"
)
"""An address, whose port may be unknown (`interpolation.UNKNOWN`)."""
_HOST = re.compile(r"\[?(?P<host>[A-Za-z0-9_][\w.-]*)\]?(?::(?P<port>\d{1,5}|\?))?")
_DSN = re.compile(r"@tcp\((?P<host>[\w.-]+)(?::\d+)?\)/(?P<database>[\w-]*)")
"""As drivers of Go spell it: ``user@tcp(host:3306)/database``."""
_SERVER = re.compile(
    r"(?:^|[;\s])(?:server|data source|host|addr(?:ess)?|endpoint)\s*=\s*(?:tcp:|\w+://)?(?P<host>[\w.-]+)",
    re.IGNORECASE,
)
_DATABASE = re.compile(
    r"(?:^|[;\s])(?:database(?:name)?|initial catalog|dbname)\s*=\s*(?P<database>[\w.-]+)", re.IGNORECASE
)
_WORDS = re.compile(
    r"(?:^|_)(?:ADDR(?:ESS)?(?:ES)?|HOSTS?(?:NAME)?|UR[IL]S?|ENDPOINTS?|SERVERS?|BASEURL|BROKERS?|CONNECTION\w*|DSN"
    r"|SERVICE)$",
    re.IGNORECASE,
)
_FOR_OTHERS = re.compile(r"cors|origins?$|redirect|callback|allowed_?hosts|no_?proxy|advertised", re.IGNORECASE)
"""What settings are called whose addresses are told to others, or belong to those who ask: nobody is asked there."""
_NAMED = re.compile(
    r"(?:^|_)(?:(?:DB|DATABASE)_?NAME|(?:POSTGRES|PG|MYSQL|MARIADB|MONGO(?:DB)?|SPRING_DATA_MONGODB|SQL)_(?:INITDB_)?"
    r"(?:DB|DATABASE)|PGDATABASE|DB_(?:DATABASE|SCHEMA))$",
    re.IGNORECASE,
)
STORES = re.compile(
    r"(?:jdbc:|r2dbc:(?:pool:)?)?(?:postgres(?:ql)?|mysql|mariadb|mongodb|sqlserver|oracle|cockroachdb)(?:\+[\w.]+)?",
    re.IGNORECASE,
)
"""Schemes of addresses of databases."""


def addresses(name: str, value: str) -> Iterator[Address]:
    """Find what the value of a setting leads to.

    Args:
        name: Of the setting; what is no address by its form is one where the setting is called so.
        value: What it is set to.
    """
    if _FOR_OTHERS.search(name):
        return
    value = value.strip()
    urls = list(_URL.finditer(value))
    said = _DATABASE.search(value)
    database = said["database"] if said else ""
    if urls:
        for url in urls:
            yield from _url(url, database)
    elif dsn := _DSN.search(value):
        yield Address(dsn["host"].lower(), dsn["database"], "mysql")
    elif server := _SERVER.search(value):
        yield Address(server["host"].lower(), database)
    else:
        yield from _bare(name, value)


def _url(url: re.Match[str], named: str) -> Iterator[Address]:
    """List the hosts of an address; SQL Server's names its database behind it: ``;databaseName=shop``."""
    scheme = url["scheme"].lower()
    if STORES.fullmatch(scheme) and "@" in url["path"]:
        return  # a password with a slash in it, and what was read is a part of that
    part = url["path"].strip("/").partition("/")[0]
    database = (part or named) if STORES.fullmatch(scheme) else ""
    for text in url["hosts"].split(","):
        found = _HOST.fullmatch(text)
        if found:
            yield Address(found["host"].lower(), database, scheme)


def _bare(name: str, value: str) -> Iterator[Address]:
    for text in value.split(","):
        found = _HOST.match(text.strip())
        if (
            found
            and found.end() in (len(text.strip()), text.strip().find("/"))
            and (found["port"] or _WORDS.search(name))
        ):
            yield Address(found["host"].lower())


def in_argument(text: str) -> Iterator[Address]:
    """Find what an argument of a command leads to: addresses with a scheme, ``-db=...`` and ``host:port``."""
    name, _, value = text.rpartition("=") if re.match(r"-+[\w.-]+=[^=]+$", text) else ("", "", text)
    yield from addresses(name.lstrip("-").replace("-", "_").replace(".", "_"), value)


def database_named(name: str, value: str) -> str:
    """Return the database that a setting names beside the host: ``DB_NAME``; empty where it is no such setting."""
    return value if _NAMED.search(name) and re.fullmatch(r"[\w-]+", value) else ""
