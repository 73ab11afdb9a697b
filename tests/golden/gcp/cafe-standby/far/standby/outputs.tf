# Written by `shoal deploy gcp`; changes are lost. Resources of yours go into files of other names
# beside it.

output "address" {
  description = "Where clients call."
  value       = "https://cafe.example"
}

output "ip" {
  description = "Where the names of hosts point."
  value       = google_compute_global_address.door.address
}

output "project_number" {
  description = "For files that are no Terraform."
  value       = data.google_project.own.number
}

output "services" {
  description = "What each service is called here."
  value = {
    till = {
      service = one(google_cloud_run_v2_service.till[*].name)
      address = one(google_cloud_run_v2_service.till[*].uri)
      account = google_service_account.till.email
    }
    menu = {
      service = one(google_cloud_run_v2_service.menu[*].name)
      address = one(google_cloud_run_v2_service.menu[*].uri)
      account = google_service_account.menu.email
    }
  }
}

output "operator" {
  description = "The job that declares streams."
  value       = google_cloud_run_v2_job.operator.name
}
