"""Documents of OpenAPI → facts: which operations a service answers, and whom (OpenAPI 3.1 and Swagger 2.0)."""

from collections.abc import Iterator, Sequence

from shoal.check.finding import Place
from shoal.check.importing.facts import Facts, Operation, Unit
from shoal.check.importing.naming import Naming
from shoal.check.importing.pointers import Pointers
from shoal.check.importing.reading import Others
from shoal.check.importing.tree import Document, Node

_METHODS = ("get", "put", "post", "delete", "patch", "head", "options", "trace")


def is_one(root: Node) -> bool:
    """Tell whether a document is of this kind."""
    return bool(root.at("openapi").text or root.at("swagger").text) and bool(root.at("info") or root.at("paths"))


def read(documents: Sequence[Document], units: Sequence[Unit], others: Others) -> Facts:
    """Read what documents of OpenAPI tell.

    Args:
        documents: They.
        units: What is known to run, of which each document may describe one.
        others: Reads the files to which references lead.
    """
    naming = Naming(units)
    titles: dict[str, Place] = {}
    operations: list[Operation] = []
    for document in documents:
        servers = [server.at("url").text for server in document.root.at("servers")]
        service = naming.about(document, [*servers, document.root.at("host").text])
        titles.setdefault(service, document.root.key("info"))
        operations += _operations(service, document.root, Pointers(document, others))
    return Facts(
        forms=frozenset({"openapi"}) if documents else frozenset(), operations=tuple(operations), titles=titles
    )


def _operations(service: str, root: Node, pointers: Pointers) -> Iterator[Operation]:
    usual = root.at("security")
    for path, said in root.at("paths").fields.items():
        item = pointers.followed(said)
        for method in _METHODS:
            if not (operation := item.at(method)) and method not in item.fields:
                continue
            asked = operation.at("security") if "security" in operation.fields else usual
            yield Operation(
                service=service,
                method=method.upper(),
                path=path,
                where=item.key(method),
                open=not _demands(asked),
                summary=operation.at("summary").text or operation.at("description").text or item.at("summary").text,
            )


def _demands(security: Node) -> bool:
    """Tell whether something is asked for: a list of ways in, none of which is open (an empty way asks nothing)."""
    return bool(security.items) and all(way.fields for way in security)
