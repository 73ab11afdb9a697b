"""What a pipeline has to know of a project. Pure data."""

import re

from shoal.errors import DeclarationError
from shoal.model.data import Data
from shoal.model.names import check_label

_REGISTRY = re.compile(r"[a-z0-9][a-z0-9.-]*(:\d+)?(/[a-z0-9][a-z0-9._-]*)*")
_FILE = re.compile(r"[A-Za-z0-9_.-]+(/[A-Za-z0-9_.-]+)*")
_PYTHON = re.compile(r"3\.\d{1,2}")
_BRANCH = re.compile(r"[A-Za-z0-9][A-Za-z0-9_./-]*")


class Wish(Data, frozen=True, kw_only=True):
    """How a project is built, and where it goes."""

    system: str
    """Its images are called ``REGISTRY/SYSTEM/SERVICE``."""
    registry: str = "registry.example"
    environments: tuple[str, ...] = ("staging", "production")
    """Where it is deployed, one after the other; who must agree is set in the environment of the platform."""
    branch: str = "main"
    requirements: str = "requirements.txt"
    """File with the locked packages and their hashes."""
    python: str = "3.12"
    package: bool = False
    """Whether the project is a package that is to be installed, too."""
    deploy: str = "deploy"
    """Folder in which `shoal deploy kubernetes` has written."""
    cost: str = ""
    """What `shoal cost --target` is to price for each pull request; none has a comment about costs when it is empty."""

    def __post_init__(self) -> None:
        """Refuse what could not stand in a pipeline as it is: all of it ends up in lines for a shell."""
        check_label("system", self.system)
        for environment in self.environments:
            check_label("environment", environment)
        for what, value, form in (
            ("registry", self.registry, _REGISTRY),
            ("branch", self.branch, _BRANCH),
            ("python", self.python, _PYTHON),
            ("requirements", self.requirements, _FILE),
            ("deploy", self.deploy, _FILE),
            ("cost", self.cost or "aws", _FILE),
        ):
            if not form.fullmatch(value) or ".." in value:
                raise DeclarationError(f"{what} {value!r} is none", hint=f"it looks like {form.pattern}")


def filled(text: str, wish: Wish) -> str:
    """Put what is known of the project into a text, in place of ``@SYSTEM@`` and the others."""
    install = f"pip install --require-hashes --requirement {wish.requirements}"
    if wish.package:
        install += " && pip install --no-deps --editable ."
    words = {
        "SYSTEM": wish.system,
        "REGISTRY": wish.registry,
        "HOST": wish.registry.partition("/")[0],
        "BRANCH": wish.branch,
        "PYTHON": wish.python,
        "REQUIREMENTS": wish.requirements,
        "INSTALL": install,
        "DEPLOY": wish.deploy,
        "COST": wish.cost,
    }
    for word, value in words.items():
        text = text.replace(f"@{word}@", value)
    return text
