# Written by `shoal deploy azure`; changes are lost. Resources of yours go into files of other names
# beside it.

resource "azurerm_key_vault" "main" {
  name                          = "cafe-production-b42c0"
  resource_group_name           = azurerm_resource_group.main.name
  location                      = azurerm_resource_group.main.location
  tenant_id                     = data.azurerm_client_config.own.tenant_id
  sku_name                      = "standard"
  rbac_authorization_enabled    = true
  purge_protection_enabled      = true
  soft_delete_retention_days    = 90
  public_network_access_enabled = true
  tags                          = local.tags

  network_acls {
    default_action = "Deny"
    bypass         = "AzureServices"
    ip_rules       = ["203.0.113.7"]
  }
}

resource "azurerm_key_vault_secret" "_jwks" {
  name             = "cafe-jwks"
  key_vault_id     = azurerm_key_vault.main.id
  content_type     = "The file jwks.json. Verifies tokens; not secret."
  value_wo         = "to be filled in"
  value_wo_version = 1
  tags             = local.tags
  depends_on       = [azurerm_role_assignment.applies]

  lifecycle {
    ignore_changes = [value, value_wo_version]
  }
}
