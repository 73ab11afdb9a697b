"""Every code of a finding that the source of `shoal.deploy` may make, read from its syntax."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from shoal import deploy

FOLDER = Path(deploy.__file__).parent
CLOUDS = ("aws", "azure", "gcp")
_CODE = re.compile(r"DEPLOY-[A-Z]+-\d\d")


def codes() -> set[str]:
    """Collect them: written out, with a number after what a file puts before it, and by what clouds share."""
    files = {file: ast.parse(file.read_text("utf-8")) for file in FOLDER.rglob("*.py")}
    shared = dict(_shared(files[FOLDER / "cloud/findings.py"]))
    found = set[str]()
    for file, tree in files.items():
        found |= {str(n.value) for n in ast.walk(tree) if isinstance(n, ast.Constant) and _whole(n.value)}
        before = _before(file, tree)
        for call in (n for n in ast.walk(tree) if isinstance(n, ast.Call) and before):
            name = ast.unparse(call.func).rpartition(".")[2]
            if name in ("say", "_say"):
                found |= {f"{before}{number}" for number in _numbers(call)}
            elif any(ast.unparse(word) in ("say", "_say") for word in call.args):
                found |= {f"{before}{number}" for number in shared.get(name, ())}
    return found


def _whole(value: object) -> bool:
    return isinstance(value, str) and _CODE.fullmatch(value) is not None


def _numbers(call: ast.Call) -> Iterator[str]:
    if call.args and isinstance(call.args[0], ast.Constant) and isinstance(call.args[0].value, str):
        yield call.args[0].value


def _before(file: Path, tree: ast.Module) -> str:
    """Say what a file puts before its numbers: the cloud of its folder, or what a function of its own says."""
    for cloud in CLOUDS:
        if cloud in file.relative_to(FOLDER).parts:
            return f"DEPLOY-{cloud.upper()}-"
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef) and node.name == "_say":
            for text in (n for n in ast.walk(node) if isinstance(n, ast.JoinedStr)):
                return str(ast.literal_eval(text.values[0]))
    return ""


def _shared(tree: ast.Module) -> Iterator[tuple[str, set[str]]]:
    for node in (n for n in tree.body if isinstance(n, ast.FunctionDef)):
        calls = (n for n in ast.walk(node) if isinstance(n, ast.Call) and ast.unparse(n.func) == "say")
        yield node.name, {number for call in calls for number in _numbers(call)}
