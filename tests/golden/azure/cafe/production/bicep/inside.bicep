// Written by `shoal deploy azure`; changes are lost. Resources of yours go into files of other names
// beside it.

param location string = resourceGroup().location

param tags object = {}

resource vault_main 'Microsoft.KeyVault/vaults@2024-11-01' existing = {
  name: 'cafe-production-b42c0'
}

resource network_main 'Microsoft.Network/virtualNetworks@2024-10-01' existing = {
  name: 'cafe-production'
}

resource subnet_inside 'Microsoft.Network/virtualNetworks/subnets@2024-10-01' existing = {
  parent: network_main
  name: 'inside'
}

resource endpoint_vault 'Microsoft.Network/privateEndpoints@2024-10-01' = {
  name: 'cafe-production-vault'
  location: location
  tags: tags
  properties: {
    subnet: {
      id: subnet_inside.id
    }
    privateLinkServiceConnections: [
      {
        name: 'vault'
        properties: {
          privateLinkServiceId: vault_main.id
          groupIds: [
            'vault'
          ]
        }
      }
    ]
  }
}

resource endpoint_vault_names 'Microsoft.Network/privateEndpoints/privateDnsZoneGroups@2024-10-01' = {
  parent: endpoint_vault
  name: 'default'
  properties: {
    privateDnsZoneConfigs: [
      {
        name: 'vault'
        properties: {
          privateDnsZoneId: resourceId('Microsoft.Network/privateDnsZones', 'privatelink.vaultcore.azure.net')
        }
      }
    ]
  }
}
