"""Whose tables, how many rows, and what happens twice."""

from tests.check.breaks.kinds import Break, Edit, Found

PAYMENTS = "shop/payments"
PRODUCTS = "shop/products"
NOTIFICATIONS = "shop/notifications"


DATA = (
    Break(
        name="letters read the table of users",
        edits=(
            Edit(f"{NOTIFICATIONS}/service.py", "    store=Postgres(why=", "    store=Postgres(sql=True, why="),
            Edit(
                f"{NOTIFICATIONS}/service.py",
                "    recipient, said = await tx.get(Recipient, user_id), await _said(user_id, tx)\n",
                '    asked = "SELECT user_id, name, email FROM users WHERE user_id = $1"\n'
                "    recipient, said = next(iter(await tx.fetch(Recipient, asked, user_id)), None), "
                "await _said(user_id, tx)\n",
            ),
        ),
        found=(
            Found(
                "SH201",
                f"{NOTIFICATIONS}/service.py",
                "await tx.fetch(Recipient",
                "notifications uses the table users of users",
                "ask users by a contract, or keep what is needed of its events",
            ),
        ),
        remedy=(
            Edit(
                f"{NOTIFICATIONS}/service.py",
                '    asked = "SELECT user_id, name, email FROM users WHERE user_id = $1"\n'
                "    recipient, said = next(iter(await tx.fetch(Recipient, asked, user_id)), None), ",
                "    recipient, said = await tx.get(Recipient, user_id), ",  # which `remember` keeps of an event
            ),
        ),
    ),
    Break(
        name="charges bear no key",
        edits=(Edit(f"{PAYMENTS}/stripe.py", ', headers={"Idempotency-Key": key}', ""),),
        found=(
            *(
                Found(
                    "SH206",
                    f"{PAYMENTS}/stripe.py",
                    "self._http.post(url, data=form)",
                    f"payments.{name} has aiohttp.ClientSession.post happen again when its event is delivered again",
                    "such as the header Idempotency-Key",
                )
                for name in ("charge", "refund")
            ),
            Found(
                "SH203",
                f"{PAYMENTS}/stripe.py",
                "self._http.post(url, data=form)",
                "payments.refund writes to its store and, past it, to another system",
                "with a key",
            ),
        ),
        remedy=(Edit(f"{PAYMENTS}/stripe.py", "data=form)", 'data=form, headers={"Idempotency-Key": key})'),),
    ),
    Break(
        name="discrepancies are shown however many there are",
        edits=(Edit(f"{PAYMENTS}/service.py", 'order=["noticed_at"], limit=100)', 'order=["noticed_at"])'),),
        found=(
            Found(
                "SH208",
                f"{PAYMENTS}/service.py",
                'order=["noticed_at"])',
                "every Discrepancy is read, however many there are",
                "limit=100",
            ),
        ),
        remedy=(Edit(f"{PAYMENTS}/service.py", 'order=["noticed_at"])', 'order=["noticed_at"], limit=100)'),),
    ),
    Break(
        name="products are read one by one",
        edits=(
            Edit(
                f"{PRODUCTS}/service.py",
                'found = await tx.find(Product, where, order=("name",), limit=page.limit, offset=page.offset)\n',
                'named = await tx.find(Product, where, order=("name",), limit=page.limit, offset=page.offset)\n'
                "    found = [await tx.require(Product, each.sku) for each in named]\n",
            ),
        ),
        found=(
            Found(
                "SH212",
                f"{PRODUCTS}/service.py",
                "tx.require(Product, each.sku)",
                "Product is asked for in each round of a loop",
                'tx.find(Product, {"sku": tuple(...)})',
            ),
        ),
        remedy=(
            Edit(
                f"{PRODUCTS}/service.py",
                "    found = [await tx.require(Product, each.sku) for each in named]\n",
                '    found = await tx.find(Product, {"sku": tuple(each.sku for each in named)})\n',
            ),
        ),
    ),
    Break(
        name="a column that the running version does not know",
        edits=(
            Edit(f"{PAYMENTS}/migrations/003_note.sql", "", "ALTER TABLE payments ADD COLUMN note text NOT NULL;\n"),
        ),
        found=(
            Found(
                "SH211",
                f"{PAYMENTS}/migrations/003_note.sql",
                "note text",
                "payments.note must be filled, and older versions do not know it",
                "give it a DEFAULT",
            ),
        ),
        remedy=(Edit(f"{PAYMENTS}/migrations/003_note.sql", "NOT NULL", "NOT NULL DEFAULT ''"),),
    ),
)
