# Written by `shoal deploy gcp`; changes are lost. Resources of yours go into files of other names
# beside it.

resource "google_logging_project_bucket_config" "main" {
  project        = "cafe-dev"
  location       = "global"
  bucket_id      = "_Default"
  retention_days = 30
}
