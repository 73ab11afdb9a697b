"""What is said of a file of settings that cannot be taken as it is."""

import difflib
import re
from collections.abc import Mapping
from types import MappingProxyType

import msgspec

from shoal.errors import DeclarationError

_UNKNOWN = re.compile(r"Object contains unknown field `([^`]*)`( - at .*)?", re.DOTALL)


def misread(
    error: msgspec.ValidationError,
    kind: type[msgspec.Struct],
    *,
    where: str,
    page: str,
    renamed: Mapping[str, str] = MappingProxyType({}),
) -> DeclarationError:
    """Say what is wrong with a file, and what would be right.

    Args:
        error: What the reader said.
        kind: What the file should have been.
        where: What the file is called.
        page: The page that tells of the settings, such as ``docs/aws.md``.
        renamed: What settings were called once, and are called now.
    """
    unknown = _UNKNOWN.fullmatch(str(error))
    if unknown is None:
        return DeclarationError(str(error), where=where, hint=f"see {page}")
    said, place = unknown[1], unknown[2] or ""
    if said in renamed and not place:
        now = renamed[said]
        return DeclarationError(f"`{said}` is called `{now}` now", where=where, hint=f"write {now} = ...; see {page}")
    fields = [field.encode_name for field in msgspec.structs.fields(kind)]
    near = difflib.get_close_matches(said, fields, n=1)
    if place:
        hint = f"see {page}"
    elif near:
        hint = f"did you mean {near[0]}? {page} tells of them"
    else:
        hint = f"its settings are: {', '.join(fields)}"
    return DeclarationError(f"there is no setting `{said}`{place}", where=where, hint=hint)
