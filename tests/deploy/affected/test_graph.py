"""What is reached by imports, for any graph of modules; and, for the shop, no less than what Python imports."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shoal import model
from shoal.deploy.affected.change import Change
from shoal.deploy.affected.tree import Tree
from shoal.deploy.affected.verdict import affected

ROOT = Path(__file__).parents[3]
MODULES = [f"{package}.{name}" for package in ("one", "two", "two.inner") for name in "abcd"]
FORMS = ("import {0}", "from {1} import {2}", "from {0} import thing", "def late():\n    import {0}", "import {0} as x")

graphs = st.dictionaries(
    st.sampled_from(MODULES), st.lists(st.tuples(st.sampled_from(MODULES), st.sampled_from(FORMS)), max_size=4)
)


def files(graph: dict[str, list[tuple[str, str]]]) -> dict[str, str]:
    found = {f"{package}/__init__.py": "" for package in ("one", "two", "two/inner")}
    for module in MODULES:
        lines = (form.format(name, *name.rsplit(".", 1)) for name, form in graph.get(module, []))
        found[f"{module.replace('.', '/')}.py"] = "\n".join(lines)
    return found


def closure(graph: dict[str, list[tuple[str, str]]], start: str) -> set[str]:
    found, waiting = set[str](), [start]
    while waiting:
        if (module := waiting.pop()) not in found:
            found.add(module)
            waiting += [name for name, _ in graph.get(module, [])]
    packages = {module.rpartition(".")[0] for module in found}
    packages |= {package.rpartition(".")[0] for package in packages} - {""}
    names = {f"{module.replace('.', '/')}.py" for module in found}
    return names | {f"{package.replace('.', '/')}/__init__.py" for package in packages}


def system(*entries: str) -> model.System:
    services = tuple(model.Service(name=f"service-{n}", entry=f"{entry}:service") for n, entry in enumerate(entries))
    return model.System(name="made", services=services)


@given(graphs, st.sampled_from(MODULES))
def test_what_is_reached_is_the_closure_of_imports(graph: dict[str, list[tuple[str, str]]], start: str) -> None:
    assert set(Tree(files(graph)).reached(start)) == closure(graph, start)


@given(graphs, st.sampled_from(MODULES))
def test_everything_but_the_start_was_found_by_way_of_something_reached(
    graph: dict[str, list[tuple[str, str]]], start: str
) -> None:
    reached = Tree(files(graph)).reached(start)
    own = f"{start.replace('.', '/')}.py"
    assert reached[own] == ""
    assert all(way in reached for file, way in reached.items() if file != own)


@given(graphs, graphs, st.sets(st.sampled_from(MODULES), min_size=1, max_size=3), st.sampled_from(MODULES))
def test_who_imports_a_changed_file_or_did_is_affected(
    before: dict[str, list[tuple[str, str]]],
    now: dict[str, list[tuple[str, str]]],
    entries: set[str],
    system_module: str,
) -> None:
    old, new = files(before), files(now)
    changed = tuple(path for path in new if new[path] != old[path])
    change = Change(
        since="a", paths=changed, sources=new, before={path: old[path] for path in changed}, system=system_module
    )
    declared = sorted(entries)
    found = affected(system(*declared), change)
    for number, entry in enumerate(declared):
        reached = closure(before, entry) | closure(now, entry)
        assert (f"service-{number}" in found.build) >= bool(reached & set(changed))
    for path in changed:
        told = [r for one in found.services for r in one.reasons if r.path == path]
        assert told, f"nobody says anything about {path}"


@given(graphs, st.sets(st.sampled_from(MODULES)), st.sets(st.sampled_from(MODULES)))
def test_more_changes_affect_no_less(graph: dict[str, list[tuple[str, str]]], some: set[str], more: set[str]) -> None:
    sources = files(graph)

    def asked(modules: set[str]) -> set[str]:
        paths = tuple(sorted(f"{module.replace('.', '/')}.py" for module in modules))
        change = Change(since="a", paths=paths, sources=sources, before={p: sources[p] for p in paths}, system="other")
        return set(affected(system("one.a", "two.b", "two.inner.c"), change).build)

    assert asked(some) <= asked(some | more)


def test_what_is_no_python_hides_nothing_of_what_was() -> None:
    change = Change(
        since="a",
        paths=("one/a.py",),
        sources={"one/a.py": "def (", "one/b.py": "", "two.py": "import one.a"},
        before={"one/a.py": "import one.b"},
        system="none",
    )
    assert affected(system("two"), change).build == ("service-0",)
    now, then = change.trees
    assert set(now.reached("two")) == {"two.py", "one/a.py"}
    assert set(then.reached("two")) == {"two.py", "one/a.py", "one/b.py"}


@pytest.mark.parametrize("service", ["orders", "web", "notifications"])
def test_what_python_imports_of_the_shop_was_foreseen(service: str) -> None:
    """Import a service in a process of its own, and compare what came with it."""
    code = (
        f"import json, sys; import shop.{service}.service; "
        "print(json.dumps([m.__file__ for n, m in sys.modules.items() if n.partition('.')[0] == 'shop']))"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, check=True)  # noqa: S603
    came = {Path(file).relative_to(ROOT).as_posix() for file in json.loads(done.stdout)}
    sources = {p.relative_to(ROOT).as_posix(): p.read_text("utf-8") for p in (ROOT / "shop").rglob("*.py")}
    reached = set(Tree(sources).reached(f"shop.{service}.service"))
    assert came <= reached
    assert len(came) > 3
