"""Tests of a running service, through the ASGI door and with drivers in memory."""
