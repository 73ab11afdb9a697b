"""Texts that are secrets, known by their form or by what they are called. Pure."""

import re

FORMS: tuple[tuple[str, re.Pattern[str]], ...] = (
    ("a private key", re.compile(r"-----BEGIN (?:[A-Z]+ )?PRIVATE KEY-----")),
    ("a key of Amazon", re.compile(r"\bA[KS]IA[0-9A-Z]{16}\b")),
    ("a key of Google", re.compile(r"\bAIza[0-9A-Za-z_-]{35}\b")),
    ("a token of GitHub", re.compile(r"\b(?:gh[pousr]_[0-9A-Za-z]{36}|github_pat_[0-9A-Za-z_]{22,})")),
    ("a token of Slack", re.compile(r"\bxox[abpr]-[0-9A-Za-z-]{10,}")),
    ("a key of Stripe", re.compile(r"\b[rs]k_live_[0-9A-Za-z]{16,}")),
    ("a key of SendGrid", re.compile(r"\bSG\.[\w-]{22}\.[\w-]{43}(?![\w-])")),
    ("a signed token", re.compile(r"\beyJ[\w-]{10,}\.eyJ[\w-]{10,}\.[\w-]{10,}")),
    ("an address with a password", re.compile(r"\b\w+://[^\s:/@]*:(?!\$)[^\s:/@{}]{3,}@[^\s/@]+")),
)
"""What a text is taken for, and how it is known."""

_CALLED = re.compile(
    r"(?:^|[_.-])(?:password|requirepass|passwd|passphrase|pwd|secret|secret_?key(?:_?base)?|secret_?access_?key|client_?secret"
    r"|api_?key|token|account_?key|private_?key|encryption_?key|signing_?key|(?:auth|access)_?token|credentials?"
    r"|(?:default|root|admin|user|db|sql|mysql|pg|postgres|mongo|redis|mq|amqp|smtp|mail|auth|ldap)_?pass)$"
)
_WITHIN = re.compile(
    r"(?:^|[;&?\s])(?:password|pwd|accountkey|sharedaccesskey)\s*=\s*(?P<value>[^;&\s]+)", re.IGNORECASE
)
"""As a connection string says it: ``Server=db;Password=...``, or an address: ``?password=...``."""

_PASSWORD = re.compile(
    r"(?P<before>\b\w+://[^\s:/@]*:|(?:^|[;&?\s\"'=])(?:password|pwd|accountkey|sharedaccesskey)=)"
    r"(?P<value>(?<=:)[^\s/@{}]+(?=@)|(?<==)[^;&\s\"']+)",
    re.IGNORECASE,
)

_ABOUT = re.compile(r"pass|pwd|secret|token|key|credential|://", re.IGNORECASE)
"""What stands in a line that may hold a secret, or in the one before it."""

_BEHIND = re.compile(r"(?<=[:=]).*")

_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_NO_SECRET = re.compile(
    r"true|false|yes|no|none|null|[01]?|[/.~].*|.*\$[({\w].*|.*\{\{.*|\{.*\}|%[\w(].*|<.*>|\*+|x{3,}|ENC\[.*|your[_-].*|change[_-]?(?:me|it)|dummy|fake|placeholder|not[_-]?used",
    re.IGNORECASE | re.DOTALL,
)


def covered(text: str) -> str:
    """Return a line with the passwords of addresses in it covered, as long as it was."""
    return _PASSWORD.sub(lambda found: found["before"] + "*" * len(found["value"]), text)


def concealed(text: str) -> str:
    """Return a file that nobody can parse without all that may be a secret; every line is as long as it was."""
    found: list[str] = []
    before = ""
    for line in text.split("\n"):
        may = _ABOUT.search(line) or _ABOUT.search(before)
        found.append(_BEHIND.sub(lambda rest: re.sub(r"\S", "*", rest[0]), line, count=1) if may else line)
        before = line
    return "\n".join(found)


def formed(text: str) -> str:
    """Say what a text is taken for by its form; empty where it is no secret by that."""
    return next((what for what, form in FORMS if form.search(text)), "")


def stands_in(value: str) -> bool:
    """Tell whether a value only stands in the place of a secret: nothing, a file, a variable, a word for people."""
    return _NO_SECRET.fullmatch(value) is not None


def told(name: str, value: str) -> str:
    """Say what the value of a setting is taken for, by its form and by what it is called; empty where it is none.

    Args:
        name: Of the setting.
        value: What it is set to.
    """
    found = formed(value)
    if found:
        return found
    within = _WITHIN.search(value)
    if within is not None:
        return "" if stands_in(within["value"]) else "an address with a password"
    plain = _CAMEL.sub("_", name).lower()
    return "a secret" if _CALLED.search(plain) and not stands_in(value) else ""
