"""Google Cloud's column of what stands for what."""

from shoal.deploy.cloud.cells import Cell, Column, no

_OTHERS = "another's, by its address in a secret"

COLUMN = Column(
    title="Google Cloud",
    command="shoal deploy gcp",
    cells={
        "postgres": Cell("Cloud SQL for PostgreSQL, an instance for each service, TLS only"),
        "documents": Cell("JSONB in the service's own Cloud SQL for PostgreSQL"),
        "mongo": Cell("Firestore stands for it; another's where it is chosen, by its address in a secret"),
        "dynamodb": Cell("Firestore stands for it"),
        "firestore": Cell("Firestore, a database for each service, billed by what is read and written"),
        "nats": Cell(f"{_OTHERS}; Pub/Sub unless it is chosen"),
        "kafka": Cell(f"{_OTHERS}, such as that of Google's service for Kafka"),
        "sns": Cell("another's (Amazon's), by its address in a secret; nobody chooses it here without reason"),
        "rabbitmq": Cell(_OTHERS),
        "pubsub": Cell("topics and ordered subscriptions of Pub/Sub; the broker unless another is chosen"),
        "servicebus": Cell("another's (Azure's), by its address in a secret; likewise"),
        "valkey": Cell("Memorystore with Valkey, one for all, TLS only; in a cluster of Kubernetes its own"),
        "duckdb": no("one process has its file; say what is meant for production, such as bigquery"),
        "bigquery": Cell("a dataset of BigQuery for each service"),
        "redshift": Cell("BigQuery stands for it; another's (Amazon's) where it is chosen"),
        "postgres-search": Cell("in an instance of Cloud SQL of the service's own"),
        "opensearch": Cell("PostgreSQL's search stands for it; another's where it is chosen"),
        "folder": Cell("Cloud Storage stands for it, a bucket for each service"),
        "s3": Cell("Cloud Storage stands for it"),
        "blob": Cell("Cloud Storage stands for it"),
        "gcs": Cell("Cloud Storage, a bucket for each service, by the interface that it shares with S3"),
        "a service": Cell("a service of Cloud Run, whose processors sleep between requests where it only answers"),
        "a call": Cell("TLS to the callee's own address, with a token that says who calls, and `roles/run.invoker`"),
        "an exposed endpoint": Cell("a rule of the external load balancer; an API Gateway where there is no host"),
        "a host and its certificate": Cell("a certificate that Google makes; the record in the DNS is yours"),
        "a firewall": Cell("Cloud Armor at the balancer, which counts declared limits of requests"),
        "people who sign in": no("nothing is made; say which issuer's tokens are believed (`Gateway(issuers=...)`)"),
        "secrets": Cell("Secret Manager, in the environment's region"),
        "keys of personal data": Cell("a key of Cloud KMS for each service"),
        "images": Cell("Artifact Registry"),
        "e-mail": no("Google has no service for it; use another's by SMTP, whose address is a setting"),
        "events for others": no(
            "nothing is written; a topic of Pub/Sub takes further subscriptions, also of another project's"
        ),
        "logs": Cell("Cloud Logging, kept as long as said"),
        "metrics and alarms": Cell("Cloud Monitoring, a condition for each kind of trouble; mail to an address"),
        "traces": Cell("Cloud Trace, by Google's collector beside each service, where asked for"),
        "a budget": Cell("a budget of the billing account"),
        "who may do what": Cell("a service account for each service without a key, from its declarations"),
        "pipelines without keys": Cell("a service account that GitHub's tokens become (Workload Identity Federation)"),
        "containers on Kubernetes": Cell("GKE (Autopilot) with Cloud Service Mesh; its accounts have the rights"),
        "a second region": Cell(
            "Cloud SQL copied and told to take over; Firestore, Storage, keys, secrets and images in both; the "
            "balancer turned with it"
        ),
    },
)
