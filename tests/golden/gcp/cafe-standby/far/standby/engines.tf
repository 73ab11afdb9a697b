# Written by `shoal deploy gcp`; changes are lost. Resources of yours go into files of other names
# beside it.

# A service can do without what is in its cache, so there are no backups.
resource "google_memorystore_instance" "main" {
  instance_id                 = "cafe-cache"
  location                    = "us-east1"
  engine_version              = "VALKEY_8_0"
  mode                        = "CLUSTER_DISABLED"
  node_type                   = "STANDARD_SMALL"
  shard_count                 = 1
  replica_count               = 1
  authorization_mode          = "AUTH_DISABLED"
  transit_encryption_mode     = "SERVER_AUTHENTICATION"
  deletion_protection_enabled = true
  engine_configs = {
    maxmemory-policy = "volatile-lru"
  }
  kms_key = google_kms_crypto_key.data.id
  depends_on = [
    google_network_connectivity_service_connection_policy.valkey,
    google_kms_crypto_key_iam_member.data_memorystore,
  ]

  desired_auto_created_endpoints {
    network    = data.google_compute_network.main.id
    project_id = data.google_project.own.project_id
  }
}
