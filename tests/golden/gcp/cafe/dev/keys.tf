# Written by `shoal deploy gcp`; changes are lost. Resources of yours go into files of other names
# beside it.

# The file jwks.json. Verifies tokens; not secret.
resource "google_secret_manager_secret" "all_jwks" {
  secret_id           = "all_jwks"
  deletion_protection = false

  replication {
    user_managed {
      replicas {
        location = "us-central1"
      }
    }
  }
}
