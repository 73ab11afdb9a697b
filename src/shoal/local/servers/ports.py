"""Names of ports that more than one file asks for."""

BROKER = "broker"
SMTP = "mailbox smtp"
