"""``$ref`` → what it leads to, in the same document or in another file (JSON Reference; JSON Pointer, RFC 6901)."""

import posixpath
from urllib.parse import unquote

from shoal.check.importing.reading import Others
from shoal.check.importing.tree import Document, Node

_FAR = 20
"""How many references are followed, one to the next."""


class Pointers:
    """Follows the references of one document.

    Args:
        document: In which they begin.
        others: Reads the files to which they lead.
    """

    def __init__(self, document: Document, others: Others) -> None:
        self._document, self._others = document, others

    def followed(self, node: Node) -> Node:
        """Follow references until there is none; one that nobody can follow is returned as it is."""
        for _ in range(_FAR):
            reference = node.at("$ref").text
            found = self._found(reference, node.where.file) if reference else None
            if found is None:
                break
            node = found
        return node

    def _found(self, reference: str, near: str) -> Node | None:
        path, _, pointer = reference.partition("#")
        whole = posixpath.normpath(posixpath.join(posixpath.dirname(near), path)) if path else near
        if whole == self._document.path:
            found: Node | None = self._document.root
        else:
            found = None if "://" in path else self._others.root(whole)
        for part in pointer.split("/")[1:]:
            name = unquote(part).replace("~1", "/").replace("~0", "~")
            found = found.fields.get(name) if found is not None else None
        return found
