"""AWS's column of what stands for what."""

from shoal.deploy.cloud.cells import Cell, Column, no

_OTHERS = "another's, by its address in a secret"

COLUMN = Column(
    title="AWS",
    command="shoal deploy aws",
    cells={
        "postgres": Cell("RDS for PostgreSQL, an instance for each service, TLS only"),
        "documents": Cell("JSONB in the service's own RDS for PostgreSQL"),
        "mongo": Cell("DocumentDB, a cluster for each service, TLS only"),
        "dynamodb": Cell("a table of DynamoDB, billed by request"),
        "firestore": no("Google's; choose dynamodb or mongo, which keep the same documents"),
        "nats": Cell(f"{_OTHERS}; SNS and SQS unless it is chosen"),
        "kafka": Cell(f"{_OTHERS}, such as Amazon MSK's"),
        "sns": Cell("FIFO topics of SNS and FIFO queues of SQS; the broker unless another is chosen"),
        "rabbitmq": Cell(f"{_OTHERS}; Amazon MQ has no streams"),
        "pubsub": Cell("another's (Google's), by its address in a secret; nobody chooses it here without reason"),
        "servicebus": Cell("another's (Azure's), by its address in a secret; likewise"),
        "valkey": Cell("ElastiCache with Valkey, a user for each service"),
        "duckdb": no("one process has its file; say what is meant for production, such as redshift"),
        "bigquery": Cell("Redshift Serverless stands for it; another's (Google's) where it is chosen"),
        "redshift": Cell("Redshift Serverless: a namespace and a workgroup for each service, asked by its role alone"),
        "postgres-search": Cell("in the service's own RDS for PostgreSQL"),
        "opensearch": Cell("a domain of OpenSearch for each service"),
        "folder": Cell("S3 stands for it, a bucket for each service"),
        "s3": Cell("S3, a bucket for each service, TLS only"),
        "blob": Cell("S3 stands for it"),
        "gcs": Cell("S3 stands for it"),
        "a service": Cell("a service on ECS Fargate: target tracking, a circuit breaker, alarms that take it back"),
        "a call": Cell("Service Connect (Cloud Map), and a rule between two security groups"),
        "an exposed endpoint": Cell("an HTTP API with a private link and a balancer inside; also as CloudFormation"),
        "a host and its certificate": Cell("a certificate of ACM and a record of Route 53, where asked for"),
        "a firewall": Cell("a web ACL (WAF) as CloudFormation, before the balancer inside"),
        "people who sign in": Cell("a pool of Cognito, where asked for; its tokens are verified by the API"),
        "secrets": Cell("Secrets Manager, encrypted by a key of the environment (KMS)"),
        "keys of personal data": Cell("a key of KMS for each service"),
        "images": Cell("ECR, a repository for each service"),
        "e-mail": Cell(
            "SES, which a service asks by its role, as the shop's does: an identity with its records, where asked for, "
            "or one that you verify"
        ),
        "events for others": Cell("those that are named go out to a bus of EventBridge, by a queue and a pipe"),
        "logs": Cell("CloudWatch, kept as long as said"),
        "metrics and alarms": Cell("CloudWatch with Container Insights; alarms by SNS to an address"),
        "traces": Cell("X-Ray, by AWS's collector (ADOT) beside each service, where asked for"),
        "a budget": Cell("AWS Budgets"),
        "who may do what": Cell("a role of IAM for each service, from its declarations"),
        "pipelines without keys": Cell("a role that GitHub's tokens become (OpenID Connect)"),
        "containers on Kubernetes": Cell("EKS: by Terraform or eksctl, with Istio and Pod Identity"),
        "a second region": Cell(
            "on Fargate, where asked for: databases follow (RDS, DocumentDB, DynamoDB), objects, images, secrets and "
            "keys of personal data are copied; queues, caches and indexes begin empty; one variable takes over"
        ),
    },
)
