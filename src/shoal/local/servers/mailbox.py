"""The mailbox that takes the mail of a laptop."""

from shoal.local.engines import Recipe, mailbox
from shoal.local.servers.ports import SMTP
from shoal.local.servers.server import Server
from shoal.local.site import Site

_PAGE = "mailbox page"


def _recipe(site: Site) -> Recipe:
    directory = site.layout.data / "mailbox"
    return mailbox.recipe(
        mailbox.MailboxOptions(directory=directory, smtp_port=site.ports[SMTP], http_port=site.ports[_PAGE])
    )


SERVER = Server(name="mailbox", recipe=_recipe, ports=(SMTP, _PAGE))
