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
  name                = "cafe-production-operator"
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
  scope                = azurerm_container_registry.main.id
  role_definition_name = "AcrPull"
  principal_id         = azurerm_user_assigned_identity.operator.principal_id
  principal_type       = "ServicePrincipal"
}

resource "azurerm_user_assigned_identity" "delivery" {
  name                = "cafe-production-delivery"
  resource_group_name = azurerm_resource_group.main.name
  location            = azurerm_resource_group.main.location
  tags                = local.tags
}

# Pipelines show a token of their run, and keep no key.
resource "azurerm_federated_identity_credential" "delivery" {
  name                = "delivery"
  resource_group_name = azurerm_resource_group.main.name
  parent_id           = azurerm_user_assigned_identity.delivery.id
  issuer              = "https://token.actions.githubusercontent.com"
  subject             = "repo:example/cafe:environment:production"
  audience            = ["api://AzureADTokenExchange"]
}

resource "azurerm_role_assignment" "delivery-0" {
  scope                = azurerm_container_registry.main.id
  role_definition_name = "AcrPush"
  principal_id         = azurerm_user_assigned_identity.delivery.principal_id
  principal_type       = "ServicePrincipal"
}

resource "azurerm_role_definition" "places" {
  name              = "cafe-production-places-b42c0"
  scope             = azurerm_resource_group.main.id
  assignable_scopes = [azurerm_resource_group.main.id]

  permissions {
    actions = [
      "Microsoft.App/managedEnvironments/read",
      "Microsoft.App/managedEnvironments/join/action",
    ]
  }
}

resource "azurerm_role_definition" "delivers" {
  name              = "cafe-production-delivers-b42c0"
  scope             = azurerm_resource_group.main.id
  assignable_scopes = [azurerm_resource_group.main.id]

  permissions {
    actions = [
      "Microsoft.App/containerApps/read",
      "Microsoft.App/containerApps/write",
      "Microsoft.App/containerApps/revisions/read",
    ]
  }
}

resource "azurerm_role_definition" "lends" {
  name              = "cafe-production-lends-b42c0"
  scope             = azurerm_resource_group.main.id
  assignable_scopes = [azurerm_resource_group.main.id]

  permissions {
    actions = [
      "Microsoft.ManagedIdentity/userAssignedIdentities/read",
      "Microsoft.ManagedIdentity/userAssignedIdentities/assign/action",
    ]
  }
}

resource "azurerm_role_definition" "starts" {
  name              = "cafe-production-starts-b42c0"
  scope             = azurerm_resource_group.main.id
  assignable_scopes = [azurerm_resource_group.main.id]

  permissions {
    actions = [
      "Microsoft.App/jobs/read",
      "Microsoft.App/jobs/executions/read",
      "Microsoft.App/jobs/start/action",
    ]
  }
}

resource "azurerm_role_assignment" "delivery-places-main" {
  scope              = azurerm_container_app_environment.main.id
  role_definition_id = azurerm_role_definition.places.role_definition_resource_id
  principal_id       = azurerm_user_assigned_identity.delivery.principal_id
  principal_type     = "ServicePrincipal"
}

resource "azurerm_role_assignment" "delivery-delivers-till" {
  scope              = azurerm_container_app.till.id
  role_definition_id = azurerm_role_definition.delivers.role_definition_resource_id
  principal_id       = azurerm_user_assigned_identity.delivery.principal_id
  principal_type     = "ServicePrincipal"
}

resource "azurerm_role_assignment" "delivery-lends-till" {
  scope              = azurerm_user_assigned_identity.till.id
  role_definition_id = azurerm_role_definition.lends.role_definition_resource_id
  principal_id       = azurerm_user_assigned_identity.delivery.principal_id
  principal_type     = "ServicePrincipal"
}

resource "azurerm_role_assignment" "delivery-delivers-menu" {
  scope              = azurerm_container_app.menu.id
  role_definition_id = azurerm_role_definition.delivers.role_definition_resource_id
  principal_id       = azurerm_user_assigned_identity.delivery.principal_id
  principal_type     = "ServicePrincipal"
}

resource "azurerm_role_assignment" "delivery-lends-menu" {
  scope              = azurerm_user_assigned_identity.menu.id
  role_definition_id = azurerm_role_definition.lends.role_definition_resource_id
  principal_id       = azurerm_user_assigned_identity.delivery.principal_id
  principal_type     = "ServicePrincipal"
}

resource "azurerm_role_assignment" "delivery-starts-operator" {
  scope              = azurerm_container_app_job.operator.id
  role_definition_id = azurerm_role_definition.starts.role_definition_resource_id
  principal_id       = azurerm_user_assigned_identity.delivery.principal_id
  principal_type     = "ServicePrincipal"
}
