"""Sources made of a few lines."""

from textwrap import dedent

from shoal.check.source import Module, Source


def module(text: str, name: str = "shop", *, package: bool = False) -> Module:
    """Make one module."""
    path = name.replace(".", "/") + ("/__init__.py" if package else ".py")
    return Module(name, path, dedent(text).lstrip("\n"), package)


def source(**modules: str) -> Source:
    """Make a source of modules by name; two underscores stand for a dot."""
    return Source(module(text, name.replace("__", ".")) for name, text in modules.items())
