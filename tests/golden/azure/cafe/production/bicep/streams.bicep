// Written by `shoal deploy azure`; changes are lost. Resources of yours go into files of other names
// beside it.

param location string = resourceGroup().location

param tags object = {}

resource bus_main 'Microsoft.ServiceBus/namespaces@2024-01-01' = {
  name: 'cafe-production-b42c0'
  location: location
  tags: tags
  sku: {
    name: 'Standard'
    tier: 'Standard'
  }
  properties: {
    disableLocalAuth: true
    minimumTlsVersion: '1.2'
    publicNetworkAccess: 'Enabled'
  }
}

// What there is, for everybody who publishes or hears.
resource topic_shoal__declared 'Microsoft.ServiceBus/namespaces/topics@2024-01-01' = {
  parent: bus_main
  name: 'shoal.declared'
  properties: {
    supportOrdering: true
  }
}

// Kept until somebody removes it.
resource subscription_shoal__declared__shoal__letters 'Microsoft.ServiceBus/namespaces/topics/subscriptions@2024-01-01' = {
  parent: topic_shoal__declared
  name: 'shoal.letters'
  properties: {
    requiresSession: true
    lockDuration: 'PT30S'
    maxDeliveryCount: 2000
  }
}

resource topic_CAFE_TILL 'Microsoft.ServiceBus/namespaces/topics@2024-01-01' = {
  parent: bus_main
  name: 'CAFE_TILL'
  properties: {
    supportOrdering: true
    defaultMessageTimeToLive: 'P7D'
  }
}

resource topic_CAFE_MENU_DEAD 'Microsoft.ServiceBus/namespaces/topics@2024-01-01' = {
  parent: bus_main
  name: 'CAFE_MENU_DEAD'
  properties: {
    supportOrdering: true
  }
}

// Dead letters, until somebody removes them.
resource subscription_CAFE_MENU_DEAD__shoal__letters 'Microsoft.ServiceBus/namespaces/topics/subscriptions@2024-01-01' = {
  parent: topic_CAFE_MENU_DEAD
  name: 'shoal.letters'
  properties: {
    requiresSession: true
    lockDuration: 'PT30S'
    maxDeliveryCount: 2000
  }
}
