"""What authors write to say where a service keeps its data."""

from typing import Literal

from shoal.model.store import Store


def Postgres(  # noqa: N802 - reads as the engine
    *, migrations: str = "migrations", sql: bool = False, pooler: Literal["", "transaction"] = "", why: str = ""
) -> Store:
    """Keep the service's data in a PostgreSQL database of its own.

    Args:
        migrations: Folder of numbered SQL files beside the service's module.
        sql: Whether handlers run SQL of their own, which the in-memory shape cannot offer.
        pooler: ``transaction`` when a pooler such as PgBouncer stands before the database in production, and gives each
            transaction another session. A laptop, without one, then sends the same statements.
        why: Why this engine suits the service, for the documents.
    """
    needs = ("transactions", "sql") if sql else ("transactions",)
    return Store(engine="postgres", migrations=migrations, needs=needs, pooler=pooler, why=why)


def MongoDB(*, why: str = "") -> Store:  # noqa: N802 - reads as the engine
    """Keep the service's records as documents, in production in MongoDB or what speaks its protocol.

    A laptop keeps them in PostgreSQL, as JSON, unless ``--engine SERVICE.store=mongo`` is said.

    Args:
        why: Why this engine suits the service, for the documents.
    """
    return _documents("mongo", why)


def DynamoDB(*, why: str = "") -> Store:  # noqa: N802 - reads as the engine
    """Keep the service's records as documents, in production in Amazon DynamoDB.

    A laptop keeps them in PostgreSQL, as JSON, unless ``--engine SERVICE.store=dynamodb`` is said.

    Args:
        why: Why this engine suits the service, for the documents.
    """
    return _documents("dynamodb", why)


def Firestore(*, why: str = "") -> Store:  # noqa: N802 - reads as the engine
    """Keep the service's records as documents, in production in Google Firestore.

    A laptop keeps them in PostgreSQL, as JSON, unless ``--engine SERVICE.store=firestore`` is said.

    Args:
        why: Why this engine suits the service, for the documents.
    """
    return _documents("firestore", why)


def _documents(production: str, why: str) -> Store:
    return Store(engine="documents", production=production, needs=("transactions", "documents"), why=why)
