# Written by `shoal deploy gcp`; changes are lost. Resources of yours go into files of other names
# beside it.

resource "google_artifact_registry_repository" "cafe" {
  repository_id = "cafe"
  location      = "us-central1"
  format        = "DOCKER"

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
