"""What an audit is told from outside: the dead letters that there should be, and what clients did."""

from pathlib import Path

import msgspec

from shoal.audit.subject import Letter
from shoal.errors import ShoalError
from shoal.service.audit import Operation


def dead_letters(file: Path) -> frozenset[Letter]:
    """Read expected dead letters: one per line, the service and the message's id; ``#`` begins a comment."""
    found: set[Letter] = set()
    for number, line in enumerate(_lines(file), 1):
        words = line.partition("#")[0].split()
        if len(words) == 2:
            found.add((words[0], words[1]))
        elif words:
            raise ShoalError(
                f"{file}:{number} is no dead letter: {line.strip()!r}", hint="write the service, then the message's id"
            )
    return frozenset(found)


def operations(file: Path) -> tuple[Operation, ...]:
    """Read what clients did: one JSON object per line, with the fields of `service.audit.Operation`."""
    found = []
    for number, line in enumerate(_lines(file), 1):
        try:
            found.append(msgspec.json.decode(line, type=Operation))
        except msgspec.MsgspecError as error:
            fields = ", ".join(Operation.__struct_fields__)
            raise ShoalError(f"{file}:{number} is no operation: {error}", hint=f"its members are: {fields}") from error
    return tuple(found)


def _lines(file: Path) -> list[str]:
    try:
        return file.read_text("utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise ShoalError(f"cannot read {file}: {error}", hint="name a readable text file") from error
