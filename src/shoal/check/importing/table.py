"""The formats that are read, and which of them a document is. A new one is a file and a line."""

from collections.abc import Sequence

from shoal.check.importing import compose, kubernetes
from shoal.check.importing.compose import Beside
from shoal.check.importing.facts import Facts, Form
from shoal.check.importing.tree import Document, Node

KINDS = "Compose or Kubernetes"
"""What they are called, for people."""


def form_of(root: Node) -> Form | None:
    """Say by its content in which format a document is; None for one of no kind that is read."""
    if compose.is_one(root):
        return "compose"
    if kubernetes.is_one(root):
        return "kubernetes"
    return None


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
    parts = [compose.read(forms.get("compose", ()), beside), kubernetes.read(forms.get("kubernetes", ()))]
    return joined(parts)


def joined(parts: Sequence[Facts]) -> Facts:
    """Make one of what several formats tell."""
    return Facts(
        forms=frozenset(form for part in parts for form in part.forms),
        units=tuple(unit for part in parts for unit in part.units),
        operations=tuple(operation for part in parts for operation in part.operations),
        messages=tuple(message for part in parts for message in part.messages),
        kept=tuple(value for part in parts for value in part.kept),
        titles={name: place for part in reversed(parts) for name, place in part.titles.items()},
    )
