// Written by `shoal deploy azure`; changes are lost. Resources of yours go into files of other names
// beside it.

param location string = resourceGroup().location

param tags object = {}

resource network_main 'Microsoft.Network/virtualNetworks@2024-10-01' existing = {
  name: 'cafe-production'
}

resource zone_postgres 'Microsoft.Network/privateDnsZones@2024-06-01' = {
  name: 'cafe-production.postgres.database.azure.com'
  location: 'global'
  tags: tags
}

resource zone_postgres_link 'Microsoft.Network/privateDnsZones/virtualNetworkLinks@2024-06-01' = {
  parent: zone_postgres
  name: 'cafe-production'
  location: 'global'
  tags: tags
  properties: {
    registrationEnabled: false
    virtualNetwork: {
      id: network_main.id
    }
  }
}

resource zone_vault 'Microsoft.Network/privateDnsZones@2024-06-01' = {
  name: 'privatelink.vaultcore.azure.net'
  location: 'global'
  tags: tags
}

resource zone_vault_link 'Microsoft.Network/privateDnsZones/virtualNetworkLinks@2024-06-01' = {
  parent: zone_vault
  name: 'cafe-production'
  location: 'global'
  tags: tags
  properties: {
    registrationEnabled: false
    virtualNetwork: {
      id: network_main.id
    }
  }
}

resource zone_cache 'Microsoft.Network/privateDnsZones@2024-06-01' = {
  name: 'privatelink.redis.azure.net'
  location: 'global'
  tags: tags
}

resource zone_cache_link 'Microsoft.Network/privateDnsZones/virtualNetworkLinks@2024-06-01' = {
  parent: zone_cache
  name: 'cafe-production'
  location: 'global'
  tags: tags
  properties: {
    registrationEnabled: false
    virtualNetwork: {
      id: network_main.id
    }
  }
}
