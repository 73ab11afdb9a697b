"""The two documents that the server writes itself: the page around every page, and the closed door."""

import base64
import hashlib
from collections.abc import Iterable
from html import escape

from shoal.dashboard.server.gate import POLICY

_PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="shoal-token" content="{action}">
<title>Shoal</title>
<link rel="icon" href="/static/{edition}/icon.svg">
<script>{early}</script>
<style>{style}</style>
{preloads}
<script type="module" src="/static/{edition}/shell/main.js"></script>
</head>
<body>
<div id="app"><header><span class="brand"><span class="mark"></span>Shoal</span></header><nav></nav><main></main></div>
<noscript>These pages need JavaScript. The command line shows the same: shoal --help</noscript>
</body>
</html>
"""

_STYLE = (
    ":root{color-scheme:light dark;font:16px/1.5 system-ui,sans-serif}"
    "body{max-width:36rem;margin:20vh auto;padding:0 1rem}code{font:1em ui-monospace,monospace}"
)
_CLOSED = (
    '<!doctype html>\n<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">'
    f"<title>Shoal: closed</title><style>{_STYLE}</style>\n"
    "<main><h1>This dashboard opens with a link</h1>\n"
    "<p>In the folder of the project, this opens it: <code>shoal open</code></p>\n"
    "<p>The link is printed by <code>shoal run</code> and <code>shoal ps</code>, too.</p></main>\n</html>\n"
)


def _named(text: str) -> str:
    """Name by its hash what stands in a document, as a policy does (Content Security Policy 3, "hash-source")."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


CLOSED_HEADERS = {
    "content-security-policy": POLICY.replace("style-src 'self'", f"style-src {_named(_STYLE)}"),
    "cache-control": "no-store",
    "www-authenticate": 'Link realm="shoal open"',
}
"""Headers of the closed door: its style is named by its hash."""


def page(edition: str, action: str, inline: tuple[str, str], modules: Iterable[str]) -> bytes:
    """Write the page.

    Args:
        edition: Names the files.
        action: The token of what changes something.
        inline: The script that runs before anything is painted, and the style sheet: the first paint waits for both, so
            they come with the page.
        modules: What the page will need, to be asked for at once instead of one after the other.
    """
    preloads = "\n".join(f'<link rel="modulepreload" href="/static/{edition}/{name}">' for name in modules)
    early, style = inline
    return _PAGE.format(edition=edition, action=escape(action), preloads=preloads, early=early, style=style).encode()


def policy(inline: tuple[str, str]) -> str:
    """Return the policy of a page in which these stand, named by their hashes."""
    early, style = map(_named, inline)
    return POLICY.replace("script-src 'self'", f"script-src 'self' {early}").replace(
        "style-src 'self'", f"style-src 'self' {style}"
    )


def closed() -> bytes:
    """Write what is shown to who has no token."""
    return _CLOSED.encode()
