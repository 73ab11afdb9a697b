"""The same names as `shoal.operating.project`."""

from shoal.operating.project import DEFAULT, declared, entry, read, require, traffic

__all__ = ["DEFAULT", "declared", "entry", "read", "require", "traffic"]
