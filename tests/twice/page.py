"""The parts of `docs/reference/policies.md` that are generated: what is translated, and what is otherwise.

``SHOAL_UPDATE_GOLDEN=1`` writes them anew.
"""

import inspect
from collections.abc import Iterable, Iterator
from pathlib import Path
from types import ModuleType

import msgspec

from shoal.deploy.kubernetes.compile import findings
from shoal.deploy.kubernetes.settings import Mesh
from shoal.model.finding import Finding
from tests.conformance.edge.sample import SAMPLE as EDGE
from tests.conformance.mesh.sample import SAMPLE as CALLS
from tests.deploy.samples import scope_of
from tests.istiod import policies, routing
from tests.istiod.known import Known
from tests.linkerd import policies as linkerd
from tests.twice import compare, test_edge, test_mesh

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "policies.md"

BEGIN, END = "<!-- generated: {} -->", "<!-- end: {} -->"


def generated() -> dict[str, str]:
    """Write every part, by its name."""
    parts = {"istio": _translated(routing, policies), "linkerd": _translated(linkerd)}
    for mesh in test_edge.MESHES:
        parts[f"differences {mesh}"] = _differences(mesh)
    return parts


def assembled(text: str) -> str:
    """Put the parts into the page, between their marks."""
    for name, part in generated().items():
        begin, end = BEGIN.format(name), END.format(name)
        before, _, rest = text.partition(begin)
        _, _, after = rest.partition(end)
        text = f"{before}{begin}\n\n{part}\n{end}{after}"
    return text


def _translated(*modules: ModuleType) -> str:
    """List what is read of each object."""
    lines = ["| Part | Fields | How it is read |", "|---|---|---|"]
    for module in modules:
        for name, one in inspect.getmembers(module, inspect.isclass):
            if issubclass(one, Known) and one.__module__ == module.__name__:
                fields = ", ".join(f"`{field.encode_name}`" for field in msgspec.structs.fields(one)) or "–"
                lines.append(f"| {name} | {fields} | {_cell(inspect.getdoc(one) or '')} |")
    return "\n".join(lines) + "\n"


def _cell(text: str) -> str:
    return " ".join(text.replace("``", "`").replace("|", r"\|").split())


def _differences(mesh: Mesh) -> str:
    said = {f.code: f"{f.message}: {f.help}" for f in _printed(mesh)}
    told: compare.Told = {}
    for name in (mesh, f"{mesh}-calls"):
        for code, some in compare.known(name).items():
            for kind, rows in some.items():
                told.setdefault(code, {}).setdefault(kind, []).extend(rows)
    lines = ["| Finding | What is otherwise | In the rows |", "|---|---|---|"]
    for code, some in sorted(told.items()):
        lines += [f"| `{code}` {_cell(said[code])} | | |", *_kinds(some)]
    return "\n".join(lines) + "\n"


def _kinds(some: dict[str, list[str]]) -> Iterator[str]:
    for kind, rows in sorted(some.items()):
        yield f"| | {_cell(kind)} | {_cell('; '.join(sorted(rows)))} |"


def _printed(mesh: Mesh) -> Iterable[Finding]:
    yield from findings(scope_of(CALLS, test_mesh.environment(mesh)))
    yield from findings(scope_of(EDGE, test_edge.environment(mesh)))
