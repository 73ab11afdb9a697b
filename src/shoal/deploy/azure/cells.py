"""Azure's column of what stands for what."""

from shoal.deploy.cloud.cells import Cell, Column, no

_OTHERS = "another's, by its address in a secret"
_DOCUMENTS = "documents in PostgreSQL stand for it"
_STORAGE = "Azure Storage stands for it"

COLUMN = Column(
    title="Azure",
    command="shoal deploy azure",
    cells={
        "postgres": Cell("PostgreSQL flexible server, one for each service, TLS only, no address outside"),
        "documents": Cell("JSONB in the service's own PostgreSQL flexible server"),
        "mongo": Cell(
            f"{_DOCUMENTS}: what Cosmos DB calls MongoDB's interface commits no several collections; Atlas or Azure "
            "DocumentDB where it is chosen, by its address in a secret"
        ),
        "dynamodb": Cell(f"{_DOCUMENTS}; Cosmos DB's own interface has no driver"),
        "firestore": Cell(f"{_DOCUMENTS}; Cosmos DB's own interface has no driver"),
        "nats": Cell(f"{_OTHERS}; Service Bus unless it is chosen"),
        "kafka": Cell(f"{_OTHERS}, such as that of Event Hubs"),
        "sns": Cell("another's (Amazon's), by its address in a secret; nobody chooses it here without reason"),
        "rabbitmq": Cell(_OTHERS),
        "pubsub": Cell("another's (Google's), by its address in a secret; likewise"),
        "servicebus": Cell("topics and subscriptions of Service Bus; the broker unless another is chosen"),
        "valkey": Cell("Managed Redis, one for each service that has a cache: it knows no user who sees some keys"),
        "duckdb": no("one process has its file; say what is meant for production, such as bigquery"),
        "bigquery": Cell("another's (Google's), by its address in a secret; there is no driver for Synapse or Fabric"),
        "redshift": Cell("another's (Amazon's), by its address in a secret; likewise"),
        "postgres-search": Cell("in the service's own PostgreSQL flexible server"),
        "opensearch": Cell("PostgreSQL's search stands for it; another's where it is chosen"),
        "folder": Cell(f"{_STORAGE}, an account for each service"),
        "s3": Cell(_STORAGE),
        "blob": Cell("Azure Storage, an account for each service; identities alone get in"),
        "gcs": Cell(_STORAGE),
        "a service": Cell("a container app that scales by KEDA; Dapr beside it, where asked for"),
        "a call": Cell("by name within the environment, encrypted between replicas; who calls is not restricted"),
        "an exposed endpoint": Cell("an operation of API Management with a policy of its own"),
        "a host and its certificate": Cell("a certificate in a vault that you name; the record in the DNS is yours"),
        "a firewall": no("none is written; put Front Door with a firewall of yours before the gateway"),
        "people who sign in": no("nothing is made; say which issuer's tokens are believed, such as Entra's"),
        "secrets": Cell("Key Vault, to which apps refer"),
        "keys of personal data": Cell("a key of Key Vault for each service, turned once a year"),
        "images": Cell("Container Registry"),
        "e-mail": Cell(
            "Communication Services, where asked for, which a service asks as its identity, as the shop's does; the "
            "records of their domain are yours. Or a server of SMTP, whose address is a secret"
        ),
        "events for others": no(
            "nothing hands events of Service Bus on to Event Grid whole; give those outside a subscription of the topic"
        ),
        "logs": Cell("Log Analytics, kept as long as said"),
        "metrics and alarms": Cell("Azure Monitor, an alert for each kind of trouble; mail to an address"),
        "traces": Cell("Application Insights, by the environment's agent of OpenTelemetry, switched on by one command"),
        "a budget": Cell("a budget of the resource group (Terraform alone)"),
        "who may do what": Cell("a managed identity for each service, and Azure's roles on single things"),
        "pipelines without keys": Cell("a managed identity that GitHub's tokens become (federated credential)"),
        "containers on Kubernetes": Cell("AKS with Azure's Istio and workload identity, in Terraform and Bicep"),
        "a second region": Cell(
            "PostgreSQL copied and told to take over; images and, in the paired region, objects in both; secrets, keys "
            "and the record in the DNS by hand; events and caches begin anew"
        ),
    },
)
