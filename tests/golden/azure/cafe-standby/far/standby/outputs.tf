# Written by `shoal deploy azure`; changes are lost. Resources of yours go into files of other names
# beside it.

output "address" {
  description = "Where clients call."
  value       = azurerm_api_management.main.gateway_url
}

output "registry" {
  description = "Where images go."
  value       = "cafefarf43df20c45f.azurecr.io"
}

output "vault" {
  description = "Where secrets are."
  value       = azurerm_key_vault.main.name
}

output "services" {
  description = "What each service is called here."
  value = {
    till = {
      app      = one(azurerm_container_app.till[*].name)
      identity = azurerm_user_assigned_identity.till.client_id
    }
    menu = {
      app      = one(azurerm_container_app.menu[*].name)
      identity = azurerm_user_assigned_identity.menu.client_id
    }
  }
}

output "operator" {
  description = "Job that declares streams."
  value       = azurerm_container_app_job.operator.name
}
