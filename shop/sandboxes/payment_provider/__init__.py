"""A stand-in for Stripe: the subset of its API that the shop uses, and switches that make it misbehave.

``python -m shop.sandboxes.payment_provider`` listens on ``127.0.0.1:$PORT`` and keeps its ledger under ``$STATE``, so
that it remembers across restarts what it charged, as the real one does. It needs the standard library only.

==========================================  =====================================================================
``POST /v1/payment_intents``                charge a card (``confirm=true``)
``POST /v1/refunds``                        give back a charge
``GET  /_sandbox/ledger``                   requests and effects per idempotency key, counted here
``GET  /_sandbox/behaviour``, and ``POST``  how it misbehaves; see `behaviour.Behaviour`
``GET  /health``                            alive
==========================================  =====================================================================

Cards that misbehave by themselves are listed in `behaviour.CARDS`.
"""
