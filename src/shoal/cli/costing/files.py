"""Files of the project that `shoal cost` reads."""

from pathlib import Path

from shoal.errors import DeclarationError


def text(root: Path, file: Path, example: str) -> str:
    """Read a file of the project; raises `DeclarationError`, which names `example`."""
    try:
        return (file if file.is_absolute() else root / file).read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        problem = error.strerror if isinstance(error, OSError) else "it is no text"
        raise DeclarationError(f"cannot read {file}: {problem}", hint=f"name a file such as {example}") from error
