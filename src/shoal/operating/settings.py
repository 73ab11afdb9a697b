"""The table ``[tool.shoal]`` of ``pyproject.toml``: what a project says to every command."""

import difflib
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from shoal.errors import DeclarationError

FILE = "pyproject.toml"

KEYS: Mapping[str, str] = {
    "system": "where the system is: 'shop.system:system'",
    "load": "where its visitors are: 'shop.load:load'",
    "unaffected": "files that concern no service: ['bench/*']",
    "check": "what shoal check is told: a table",
}
"""What it may say, and what that is."""


def document(root: Path) -> Mapping[str, Any]:
    """Read the whole file; empty where there is none.

    Raises:
        DeclarationError: It cannot be read.
    """
    try:
        return tomllib.loads((root / FILE).read_text("utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise DeclarationError(
            f"cannot read {root / FILE}: {error}", hint="correct the file, or use --system"
        ) from error


def table(root: Path) -> Mapping[str, Any]:
    """Read the table; empty where there is none.

    Raises:
        DeclarationError: It cannot be read, or says something that nobody reads.
    """
    tool = document(root).get("tool", {})
    found = tool.get("shoal", {}) if isinstance(tool, dict) else {}
    if not isinstance(found, dict):
        raise DeclarationError(f"[tool] shoal = {found!r} is no table", where=FILE, hint="write [tool.shoal]")
    for key in found:
        if key not in KEYS:
            raise _unknown(key)
    return found


def _unknown(key: str) -> DeclarationError:
    close = difflib.get_close_matches(key, KEYS, n=1)
    known = "; ".join(f"{name}, {what}" for name, what in KEYS.items())
    hint = f"did you mean {close[0]}?" if close else f"it may say {known}"
    return DeclarationError(f"[tool.shoal] {key} is read by nobody", where=FILE, hint=hint)
