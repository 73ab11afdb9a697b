// Written by `shoal deploy azure`; changes are lost. Resources of yours go into files of other names
// beside it.

param location string = resourceGroup().location

param tags object = {}

resource vault_main 'Microsoft.KeyVault/vaults@2024-11-01' = {
  name: 'cafe-production-b42c0'
  location: location
  tags: tags
  properties: {
    tenantId: tenant().tenantId
    sku: {
      family: 'A'
      name: 'standard'
    }
    enableRbacAuthorization: true
    enableSoftDelete: true
    softDeleteRetentionInDays: 90
    enablePurgeProtection: true
    publicNetworkAccess: 'Enabled'
    networkAcls: {
      defaultAction: 'Deny'
      bypass: 'AzureServices'
      ipRules: [
        {
          value: '203.0.113.7'
        }
      ]
    }
  }
}

@onlyIfNotExists()
resource secret___jwks 'Microsoft.KeyVault/vaults/secrets@2024-11-01' = {
  parent: vault_main
  name: 'cafe-jwks'
  tags: tags
  properties: {
    contentType: 'The file jwks.json. Verifies tokens; not secret.'
    value: 'to be filled in'
  }
}
