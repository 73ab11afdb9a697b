"""The formats that are read, and which of them a document is. A new one is a file and a line."""

from collections.abc import Callable, Sequence

from shoal.check.importing import asyncapi, compose, kubernetes, openapi
from shoal.check.importing.facts import Facts, Form
from shoal.check.importing.reading import Others
from shoal.check.importing.tree import Beside, Document, Node

KINDS = "Compose, Kubernetes, OpenAPI or AsyncAPI"
"""What they are called, for people."""

_FORMS: tuple[tuple[Form, Callable[[Node], bool]], ...] = (
    ("openapi", openapi.is_one),
    ("asyncapi", asyncapi.is_one),
    ("kubernetes", kubernetes.is_one),
    ("compose", compose.is_one),
)
"""The first that knows a document has it."""


def form_of(root: Node) -> Form | None:
    """Say by its content in which format a document is; None for one of no kind that is read."""
    return next((form for form, is_one in _FORMS if is_one(root)), None)


def facts(documents: Sequence[Document], beside: Beside) -> Facts:
    """Bring together what all documents tell.

    Args:
        documents: Of all files that are given; those of no known kind are passed over.
        beside: Finds the text of a file that another one names.
    """
    forms: dict[Form, list[Document]] = {}
    for document in documents:
        if (form := form_of(document.root)) is not None:
            forms.setdefault(form, []).append(document)
    others = Others(beside)
    runs = joined([compose.read(forms.get("compose", ()), others), kubernetes.read(forms.get("kubernetes", ()))])
    said = [
        openapi.read(forms.get("openapi", ()), runs.units, others),
        asyncapi.read(forms.get("asyncapi", ()), runs.units, others),
    ]
    return joined([runs, *said])


def joined(parts: Sequence[Facts]) -> Facts:
    """Make one of what several formats tell."""
    return Facts(
        forms=frozenset(form for part in parts for form in part.forms),
        units=tuple(unit for part in parts for unit in part.units),
        operations=tuple(operation for part in parts for operation in part.operations),
        messages=tuple(message for part in parts for message in part.messages),
        kept=tuple(value for part in parts for value in part.kept),
        guarded=frozenset(space for part in parts for space in part.guarded),
        titles={name: place for part in reversed(parts) for name, place in part.titles.items()},
    )
