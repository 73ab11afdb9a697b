"""What a service does by the clock: each due time settled once over all replicas.

One replica at a time holds the right to look (`Store.lease`), so that nobody waits for a lock while a handler works.
The right alone promises nothing, since its holder may be frozen and not know that it lost it: what a handler changes
in the store commits together with the due time being settled, and that only if it was not settled meanwhile.
"""
