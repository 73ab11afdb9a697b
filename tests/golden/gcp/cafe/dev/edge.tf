# Written by `shoal deploy gcp`; changes are lost. Resources of yours go into files of other names
# beside it.

resource "google_api_gateway_api" "main" {
  provider = google-beta
  api_id   = "cafe"
}

resource "google_api_gateway_api_config" "main" {
  provider             = google-beta
  api                  = google_api_gateway_api.main.api_id
  api_config_id_prefix = "cafe-"

  openapi_documents {
    document {
      path     = "api.yaml"
      contents = base64encode(replace(file("${path.module}/api.yaml"), "PROJECT_NUMBER", data.google_project.own.number))
    }
  }

  gateway_config {
    backend_config {
      google_service_account = google_service_account.gateway.email
    }
  }

  lifecycle {
    create_before_destroy = true
  }
}

resource "google_api_gateway_gateway" "main" {
  provider   = google-beta
  region     = "us-central1"
  gateway_id = "cafe"
  api_config = google_api_gateway_api_config.main.id
}
