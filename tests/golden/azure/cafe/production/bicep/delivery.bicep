// Written by `shoal deploy azure`; changes are lost. Resources of yours go into files of other names
// beside it.

param location string = resourceGroup().location

param tags object = {}

resource registry_main 'Microsoft.ContainerRegistry/registries@2023-07-01' existing = {
  name: 'cafeproductionb42c0e1c762'
}

resource workload_till 'Microsoft.App/containerApps@2026-01-01' existing = {
  name: 'till'
}

resource workload_menu 'Microsoft.App/containerApps@2026-01-01' existing = {
  name: 'menu'
}

resource job_operator 'Microsoft.App/jobs@2026-01-01' existing = {
  name: 'cafe-production-operator'
}

resource identity_delivery 'Microsoft.ManagedIdentity/userAssignedIdentities@2024-11-30' = {
  name: 'cafe-production-delivery'
  location: location
  tags: tags
}

resource identity_delivery_token 'Microsoft.ManagedIdentity/userAssignedIdentities/federatedIdentityCredentials@2024-11-30' = {
  parent: identity_delivery
  name: 'delivery'
  properties: {
    issuer: 'https://token.actions.githubusercontent.com'
    subject: 'repo:example/cafe:environment:production'
    audiences: [
      'api://AzureADTokenExchange'
    ]
  }
}

// AcrPush.
resource right_delivery_0 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(registry_main.id, identity_delivery.id, '8311e382-0749-4cb8-b61a-304f252e45ec')
  scope: registry_main
  properties: {
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', '8311e382-0749-4cb8-b61a-304f252e45ec')
    principalId: identity_delivery.properties.principalId
    principalType: 'ServicePrincipal'
  }
}

// Container Apps Contributor.
resource right_delivery_1 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(workload_till.id, identity_delivery.id, '358470bc-b998-42bd-ab17-a7e34c199c0f')
  scope: workload_till
  properties: {
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', '358470bc-b998-42bd-ab17-a7e34c199c0f')
    principalId: identity_delivery.properties.principalId
    principalType: 'ServicePrincipal'
  }
}

// Container Apps Contributor.
resource right_delivery_2 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(workload_menu.id, identity_delivery.id, '358470bc-b998-42bd-ab17-a7e34c199c0f')
  scope: workload_menu
  properties: {
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', '358470bc-b998-42bd-ab17-a7e34c199c0f')
    principalId: identity_delivery.properties.principalId
    principalType: 'ServicePrincipal'
  }
}

// Container Apps Jobs Operator.
resource right_delivery_operator 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(job_operator.id, identity_delivery.id, 'b9a307c4-5aa3-4b52-ba60-2b17c136cd7b')
  scope: job_operator
  properties: {
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', 'b9a307c4-5aa3-4b52-ba60-2b17c136cd7b')
    principalId: identity_delivery.properties.principalId
    principalType: 'ServicePrincipal'
  }
}
