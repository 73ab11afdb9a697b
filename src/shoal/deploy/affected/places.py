"""To whom a file belongs by its place: a service's folder, tests, manifests, pages. Pure."""

from collections.abc import Iterable
from fnmatch import fnmatchcase

from shoal.deploy.affected.tree import Tree

PAGES = ("*.md", "*.rst", "docs/*", "LICENSE*", "NOTICE*", ".gitignore", ".gitattributes", ".editorconfig")
"""What no service is made of, where it lies outside of every service's folder and of every package."""

MANIFESTS = ("deploy/*", "targets/*", "kubernetes/*", "charts/*", "argocd/*", "monitoring/*")
"""Where what is deployed is said; no image holds it."""


RECIPES = ("Dockerfile*", "requirements*.in", "requirements*.txt")
"""Names of files that images are made by, wherever they lie among the manifests."""


def is_recipe(path: str) -> bool:
    """Tell whether an image is made by a file."""
    return matches(path.rpartition("/")[2], RECIPES)


def matches(path: str, patterns: Iterable[str]) -> bool:
    """Tell whether a path is meant by one of the patterns; ``*`` also stands for folders."""
    return any(fnmatchcase(path, pattern) for pattern in patterns)


def is_test(path: str) -> bool:
    """Tell whether a file is part of tests, by the names that pytest looks for."""
    *folders, name = path.split("/")
    named = name == "conftest.py" or fnmatchcase(name, "test_*.py") or fnmatchcase(name, "*_test.py")
    return named or "tests" in folders or "test" in folders


def is_page(path: str) -> bool:
    """Tell whether a file is there to be read by people."""
    return matches(path, PAGES)


def is_readme(path: str) -> bool:
    """Tell whether a file explains the folder that it lies in; other pages of a folder may be what it sends out."""
    return path.rpartition("/")[2].upper().startswith("README")


def homes(entries: dict[str, str], system: str) -> dict[str, str]:
    """Find the folder of each service: the widest around its declaration that holds no other one.

    Args:
        entries: Service → the file that declares it; empty where it lies elsewhere.
        system: The file that declares the system.

    Returns:
        Service → folder; none for a service that shares its folder, or lies in the project's.
    """
    found = {}
    for service, entry in entries.items():
        others = [file for name, file in entries.items() if name != service and file]
        taken = {folder for file in (*others, system) for folder in above(file)}
        own = [folder for folder in above(entry) if folder not in taken]
        if entry and own:
            found[service] = own[-1]
    return found


def above(path: str) -> list[str]:
    """List the folders around a file, the nearest first, without the project's own."""
    parts = path.split("/")[:-1]
    return ["/".join(parts[:n]) for n in range(len(parts), 0, -1)]


def package_of(path: str, tree: Tree) -> str:
    """Find the nearest folder of modules around a file that is none itself; empty when there is none."""
    known = tree.folders()
    return next((folder for folder in above(path) if folder in known), "")
