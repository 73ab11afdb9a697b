"""How fields are called that tell something of a person, and whether they are marked so."""

import ast
import re

from shoal.check.source import Module

NAMES = frozenset(
    {"email", "email_address", "phone", "phone_number", "mobile_number", "first_name", "last_name", "full_name"}
    | {"surname", "birthday", "birth_date", "date_of_birth", "postal_address", "home_address", "street"}
    | {"iban", "card_number", "passport", "passport_number", "ssn", "social_security_number"}
)
"""Names that hardly mean anything else; what else is personal here, an option of the rules says."""

_WHOSE = re.compile(rf"(?P<before>.+)_(?:{'|'.join(NAMES)})")
"""The same, of somebody: ``clerk_email``, ``customer_phone``."""

_DOING = frozenset(
    {"has", "is", "was", "can", "may", "wants", "needs", "no", "with", "without", "by", "to", "send", "sends", "sent"}
    | {"verify", "verified", "check", "find", "get", "set", "hash", "mask", "masked", "hide", "count", "parse", "valid"}
)
"""Words before such a name with which it means something else: a question, or what is done."""

MARKS = frozenset({"shoal.Personal", "shoal.personal"})


def told(name: str, more: tuple[str, ...]) -> bool:
    """Tell whether a field of this name is taken for personal."""
    whose = _WHOSE.fullmatch(name)
    return name in NAMES or name in more or (whose is not None and _DOING.isdisjoint(whose["before"].split("_")))


def fields(node: ast.ClassDef) -> list[ast.AnnAssign]:
    """List the annotated fields of a class."""
    return [part for part in node.body if isinstance(part, ast.AnnAssign) and isinstance(part.target, ast.Name)]


def marked(module: Module, annotation: ast.expr) -> bool:
    """Tell whether an annotation says ``Personal`` or ``personal(...)`` anywhere."""
    names = (module.name_of(part) for part in ast.walk(annotation) if isinstance(part, ast.Name | ast.Attribute))
    return not MARKS.isdisjoint(names)


def declared(module: Module, by: str) -> list[ast.ClassDef]:
    """List the classes of a module that are decorated with a function, such as ``shoal.record``."""
    return [
        node
        for node in module.top.values()
        if isinstance(node, ast.ClassDef)
        and any(isinstance(d, ast.Call) and module.name_of(d.func) == by for d in node.decorator_list)
    ]
