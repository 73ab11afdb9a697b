"""What is promised to others, and what runs beside the services."""

from tests.check.breaks.kinds import Break, Edit, Found

ORDERS = "shop/orders"

_DEPLOYMENT = """\
apiVersion: apps/v1
kind: Deployment
metadata:
  name: catalogue-import
spec:
  template:
    spec:
      containers:
        - name: catalogue-import
          image: registry.example/catalogue-import:1
"""
_SIZED = """\
          resources:
            requests: {cpu: 100m, memory: 128Mi}
            limits: {memory: 256Mi}
"""


OBSERVABILITY = (
    Break(
        name="other shops are promised nothing",
        edits=(Edit("shop/partner/service.py", "    objectives=[Objective(availability=0.99)],\n", ""),),
        found=(
            Found(
                "SH504",
                "shop/partner/service.py",
                "partner = Service(",
                "partner serves a public operation and promises nothing",
                'Service("partner", objectives=[Objective(availability=0.995)])',
            ),
        ),
        remedy=(
            Edit(
                "shop/partner/service.py",
                '    "partner",\n',
                '    "partner",\n    objectives=[Objective(availability=0.995)],\n',
            ),
        ),
    ),
)

CONTRACTS = (
    Break(
        name="a field of an event is called something else",
        edits=(
            Edit(f"{ORDERS}/contract.py", "    currency: str\n    confirmed_at", "    money: str\n    confirmed_at"),
            Edit(
                f"{ORDERS}/lifecycle.py",
                "            currency=after.currency,\n            confirmed_at",
                "            money=after.currency,\n            confirmed_at",
            ),
        ),
        found=(
            Found(
                "SH601",
                f"{ORDERS}/contract.py",
                '@event("orders.confirmed"',
                "orders.confirmed.v1 $.currency: the field is gone (required → absent)",
                "keep what was there and add what is new beside it",
            ),
        ),
        remedy=(
            Edit(
                f"{ORDERS}/contract.py",
                "    money: str\n    confirmed_at",
                '    currency: str\n    money: str = ""\n    confirmed_at',
            ),
            Edit(
                f"{ORDERS}/lifecycle.py",
                "            money=after.currency,\n",
                "            currency=after.currency,\n            money=after.currency,\n",
            ),
        ),
    ),
)

DEPLOYMENT = (
    Break(
        name="a container without limits",
        edits=(Edit("kubernetes/import.yaml", "", _DEPLOYMENT),),
        found=(
            Found(
                "SH701",
                "kubernetes/import.yaml",
                "kind: Deployment",
                "the containers of Deployment catalogue-import have no requests and no limits",
                "say under resources",
            ),
        ),
        remedy=(Edit("kubernetes/import.yaml", "catalogue-import:1\n", f"catalogue-import:1\n{_SIZED}"),),
    ),
)
