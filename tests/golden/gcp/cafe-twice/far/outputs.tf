# Written by `shoal deploy gcp`; changes are lost. Resources of yours go into files of other names
# beside it.

output "project_number" {
  description = "For files that are no Terraform."
  value       = data.google_project.own.number
}

output "images" {
  description = "Where images go: this, a service's name and its version."
  value       = "us-docker.pkg.dev/cafe-far/cafe"
}

output "services" {
  description = "What each service is called here."
  value = {
    till = {
      service = google_cloud_run_v2_service.till.name
      address = google_cloud_run_v2_service.till.uri
      account = google_service_account.till.email
    }
    menu = {
      service = google_cloud_run_v2_service.menu.name
      address = google_cloud_run_v2_service.menu.uri
      account = google_service_account.menu.email
    }
  }
}

output "operator" {
  description = "The job that declares streams."
  value       = google_cloud_run_v2_job.operator.name
}
