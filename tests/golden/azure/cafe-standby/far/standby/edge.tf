# Written by `shoal deploy azure`; changes are lost. Resources of yours go into files of other names
# beside it.

resource "azurerm_api_management" "main" {
  name                 = "cafe-far-standby-7b14f"
  resource_group_name  = azurerm_resource_group.main.name
  location             = azurerm_resource_group.main.location
  publisher_name       = "cafe"
  publisher_email      = "nobody@cafe.example"
  sku_name             = "StandardV2_1"
  virtual_network_type = "External"
  tags                 = local.tags
  depends_on           = [azurerm_subnet_network_security_group_association.edge]

  identity {
    type = "SystemAssigned"
  }

  virtual_network_configuration {
    subnet_id = azurerm_subnet.edge.id
  }
}

resource "azurerm_api_management_api" "main" {
  name                  = "cafe"
  api_management_name   = azurerm_api_management.main.name
  resource_group_name   = azurerm_resource_group.main.name
  revision              = "1"
  display_name          = "cafe"
  path                  = ""
  protocols             = ["https"]
  subscription_required = false
}

resource "azurerm_api_management_api_policy" "main" {
  api_name            = azurerm_api_management_api.main.name
  api_management_name = azurerm_api_management.main.name
  resource_group_name = azurerm_resource_group.main.name
  xml_content         = file("${path.module}/policies/all.xml")
}

resource "azurerm_api_management_product" "main" {
  product_id            = "cafe"
  api_management_name   = azurerm_api_management.main.name
  resource_group_name   = azurerm_resource_group.main.name
  display_name          = "cafe"
  description           = "Everything that cafe shows to clients."
  subscription_required = false
  published             = true
}

resource "azurerm_api_management_product_api" "main" {
  product_id          = azurerm_api_management_product.main.product_id
  api_name            = azurerm_api_management_api.main.name
  api_management_name = azurerm_api_management.main.name
  resource_group_name = azurerm_resource_group.main.name
}

resource "azurerm_api_management_backend" "menu" {
  count               = var.take_over && !var.fenced ? 1 : 0
  name                = "menu"
  api_management_name = azurerm_api_management.main.name
  resource_group_name = azurerm_resource_group.main.name
  protocol            = "http"
  url                 = "https://${azurerm_container_app.menu[0].ingress[0].fqdn}"

  tls {
    validate_certificate_chain = true
    validate_certificate_name  = true
  }
}

resource "azurerm_api_management_backend" "till" {
  count               = var.take_over && !var.fenced ? 1 : 0
  name                = "till"
  api_management_name = azurerm_api_management.main.name
  resource_group_name = azurerm_resource_group.main.name
  protocol            = "http"
  url                 = "https://${azurerm_container_app.till[0].ingress[0].fqdn}"

  tls {
    validate_certificate_chain = true
    validate_certificate_name  = true
  }
}

resource "azurerm_api_management_api_operation" "till-jwks-83432a" {
  operation_id        = "till-jwks-83432a"
  api_name            = azurerm_api_management_api.main.name
  api_management_name = azurerm_api_management.main.name
  resource_group_name = azurerm_resource_group.main.name
  display_name        = "GET /.well-known/jwks.json"
  method              = "GET"
  url_template        = "/.well-known/jwks.json"
}

resource "azurerm_api_management_api_operation_policy" "till-jwks-83432a" {
  count               = var.take_over && !var.fenced ? 1 : 0
  operation_id        = azurerm_api_management_api_operation.till-jwks-83432a.operation_id
  api_name            = azurerm_api_management_api.main.name
  api_management_name = azurerm_api_management.main.name
  resource_group_name = azurerm_resource_group.main.name
  xml_content         = file("${path.module}/policies/till-jwks-83432a.xml")
  depends_on          = [azurerm_api_management_backend.till]
}

resource "azurerm_api_management_api_operation" "menu-read-171621" {
  operation_id        = "menu-read-171621"
  api_name            = azurerm_api_management_api.main.name
  api_management_name = azurerm_api_management.main.name
  resource_group_name = azurerm_resource_group.main.name
  display_name        = "GET /menu"
  method              = "GET"
  url_template        = "/menu"
}

resource "azurerm_api_management_api_operation_policy" "menu-read-171621" {
  count               = var.take_over && !var.fenced ? 1 : 0
  operation_id        = azurerm_api_management_api_operation.menu-read-171621.operation_id
  api_name            = azurerm_api_management_api.main.name
  api_management_name = azurerm_api_management.main.name
  resource_group_name = azurerm_resource_group.main.name
  xml_content         = file("${path.module}/policies/menu-read-171621.xml")
  depends_on          = [azurerm_api_management_backend.menu]
}

resource "azurerm_api_management_api_operation" "till-sell-6cd0b4" {
  operation_id        = "till-sell-6cd0b4"
  api_name            = azurerm_api_management_api.main.name
  api_management_name = azurerm_api_management.main.name
  resource_group_name = azurerm_resource_group.main.name
  display_name        = "POST /sales"
  method              = "POST"
  url_template        = "/sales"
}

resource "azurerm_api_management_api_operation_policy" "till-sell-6cd0b4" {
  count               = var.take_over && !var.fenced ? 1 : 0
  operation_id        = azurerm_api_management_api_operation.till-sell-6cd0b4.operation_id
  api_name            = azurerm_api_management_api.main.name
  api_management_name = azurerm_api_management.main.name
  resource_group_name = azurerm_resource_group.main.name
  xml_content         = file("${path.module}/policies/till-sell-6cd0b4.xml")
  depends_on          = [azurerm_api_management_backend.till]
}

resource "azurerm_api_management_api_operation" "till-show-befe16" {
  operation_id        = "till-show-befe16"
  api_name            = azurerm_api_management_api.main.name
  api_management_name = azurerm_api_management.main.name
  resource_group_name = azurerm_resource_group.main.name
  display_name        = "GET /sales/{number}"
  method              = "GET"
  url_template        = "/sales/{number}"

  template_parameter {
    name     = "number"
    required = true
    type     = "string"
  }
}

resource "azurerm_api_management_api_operation_policy" "till-show-befe16" {
  count               = var.take_over && !var.fenced ? 1 : 0
  operation_id        = azurerm_api_management_api_operation.till-show-befe16.operation_id
  api_name            = azurerm_api_management_api.main.name
  api_management_name = azurerm_api_management.main.name
  resource_group_name = azurerm_resource_group.main.name
  xml_content         = file("${path.module}/policies/till-show-befe16.xml")
  depends_on          = [azurerm_api_management_backend.till]
}

resource "azurerm_api_management_logger" "main" {
  name                = "insights"
  api_management_name = azurerm_api_management.main.name
  resource_group_name = azurerm_resource_group.main.name
  resource_id         = azurerm_application_insights.main.id

  application_insights {
    connection_string = azurerm_application_insights.main.connection_string
  }
}

resource "azurerm_api_management_diagnostic" "main" {
  identifier                = "applicationinsights"
  api_management_name       = azurerm_api_management.main.name
  resource_group_name       = azurerm_resource_group.main.name
  api_management_logger_id  = azurerm_api_management_logger.main.id
  sampling_percentage       = 100
  always_log_errors         = true
  log_client_ip             = false
  http_correlation_protocol = "W3C"
  verbosity                 = "information"
}
