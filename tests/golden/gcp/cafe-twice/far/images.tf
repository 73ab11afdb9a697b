# Written by `shoal deploy gcp`; changes are lost. Resources of yours go into files of other names
# beside it.

resource "google_artifact_registry_repository" "cafe" {
  repository_id = "cafe"
  location      = "us"
  format        = "DOCKER"
  kms_key_name  = google_kms_crypto_key.shared.id
  depends_on    = [google_kms_crypto_key_iam_member.shared_artifactregistry]

  docker_config {
    immutable_tags = true
  }

  cleanup_policies {
    id     = "keep-newest"
    action = "KEEP"

    most_recent_versions {
      keep_count = 30
    }
  }

  cleanup_policies {
    id     = "remove-old"
    action = "DELETE"

    condition {
      older_than = "7776000s"
    }
  }
}
