"""Azure Service Bus, played by what its documentation says: AMQP 1.0 by Proton, and its management over HTTP.

It plays what the driver uses: SASL, ``$cbs`` with shared access policies, topics, rules, subscriptions with sessions,
locks that end, answers in two steps, delivery counts, ``$management`` (peek, renewal), refusals. It keeps what it has
while it is down, as Service Bus does. No port of it is open to anybody but this machine.
"""
