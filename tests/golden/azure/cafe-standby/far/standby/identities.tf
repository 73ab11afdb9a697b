# Written by `shoal deploy azure`; changes are lost. Resources of yours go into files of other names
# beside it.

# Who applies writes secrets.
resource "azurerm_role_assignment" "applies" {
  scope                = azurerm_key_vault.main.id
  role_definition_name = "Key Vault Administrator"
  principal_id         = data.azurerm_client_config.own.object_id
}

# Declares streams.
resource "azurerm_user_assigned_identity" "operator" {
  name                = "cafe-far-standby-operator"
  resource_group_name = azurerm_resource_group.main.name
  location            = azurerm_resource_group.main.location
  tags                = local.tags
}

resource "azurerm_role_assignment" "operator-0" {
  scope                = azurerm_servicebus_namespace.main.id
  role_definition_name = "Azure Service Bus Data Owner"
  principal_id         = azurerm_user_assigned_identity.operator.principal_id
  principal_type       = "ServicePrincipal"
}

resource "azurerm_role_assignment" "operator-1" {
  scope                = "/subscriptions/${data.azurerm_client_config.own.subscription_id}/resourceGroups/cafe-far/providers/Microsoft.ContainerRegistry/registries/cafefarf43df20c45f"
  role_definition_name = "AcrPull"
  principal_id         = azurerm_user_assigned_identity.operator.principal_id
  principal_type       = "ServicePrincipal"
}
