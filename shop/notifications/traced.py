"""Each mail that is sent, in the trace of what it is about. To whom, and what it says, is nobody's business there."""

from shoal import Trace
from shop.notifications.mailer import Mail, Mailer


class TracedMailer:
    """A `Mailer` that sends by another one."""

    def __init__(self, port: Mailer, trace: Trace) -> None:
        self._port, self._trace = port, trace

    async def send(self, mail: Mail) -> None:
        """Hand a mail over."""
        with self._trace.span("send mail", {"peer.service": "mail", "mail.language": mail.language}):
            await self._port.send(mail)
