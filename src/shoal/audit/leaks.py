"""Look for secrets where nobody may read them."""

import re
from collections.abc import Mapping

SHORTEST = 8
"""Characters of a secret that is looked for; a shorter one would be found by accident."""

TOKEN = re.compile(rb"eyJ[\w-]{10,}\.eyJ[\w-]{10,}\.[\w-]{40,}")
"""A signed JSON Web Token: header, claims and signature (RFC 7519)."""


class Leaks:
    """Finds secrets in texts, and remembers where; never what."""

    def __init__(self, secrets: Mapping[str, str]) -> None:
        self._names = {value.encode(): name for name, value in secrets.items() if len(value) >= SHORTEST}
        longest_first = sorted(self._names, key=len, reverse=True)
        words = [re.escape(value) for value in longest_first]
        self._any = re.compile(b"|".join([*words, TOKEN.pattern]))
        self.found: list[str] = []

    def look(self, where: str, text: bytes) -> None:
        """Search one text."""
        for match in self._any.finditer(text):
            name = self._names.get(match[0], "a signed token")
            self.found.append(f"{where}: {name}")
