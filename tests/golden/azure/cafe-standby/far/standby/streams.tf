# Written by `shoal deploy azure`; changes are lost. Resources of yours go into files of other names
# beside it.

resource "azurerm_servicebus_namespace" "main" {
  name                          = "cafe-far-standby-7b14f"
  resource_group_name           = azurerm_resource_group.main.name
  location                      = azurerm_resource_group.main.location
  sku                           = "Standard"
  local_auth_enabled            = false
  minimum_tls_version           = "1.2"
  public_network_access_enabled = true
  tags                          = local.tags
}

# What there is, for everybody who publishes or hears.
resource "azurerm_servicebus_topic" "shoal_declared" {
  name             = "shoal.declared"
  namespace_id     = azurerm_servicebus_namespace.main.id
  support_ordering = true
}

# Kept until somebody removes it.
resource "azurerm_servicebus_subscription" "shoal_declared_shoal_letters" {
  name               = "shoal.letters"
  topic_id           = azurerm_servicebus_topic.shoal_declared.id
  requires_session   = true
  lock_duration      = "PT30S"
  max_delivery_count = 2000
}

resource "azurerm_servicebus_topic" "CAFE_TILL" {
  name                = "CAFE_TILL"
  namespace_id        = azurerm_servicebus_namespace.main.id
  support_ordering    = true
  default_message_ttl = "P7D"
}

resource "azurerm_servicebus_topic" "CAFE_MENU_DEAD" {
  name             = "CAFE_MENU_DEAD"
  namespace_id     = azurerm_servicebus_namespace.main.id
  support_ordering = true
}

# Dead letters, until somebody removes them.
resource "azurerm_servicebus_subscription" "CAFE_MENU_DEAD_shoal_letters" {
  name               = "shoal.letters"
  topic_id           = azurerm_servicebus_topic.CAFE_MENU_DEAD.id
  requires_session   = true
  lock_duration      = "PT30S"
  max_delivery_count = 2000
}
