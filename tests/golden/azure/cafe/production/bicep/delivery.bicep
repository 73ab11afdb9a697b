// Written by `shoal deploy azure`; changes are lost. Resources of yours go into files of other names
// beside it.

param location string = resourceGroup().location

param tags object = {}

resource registry_main 'Microsoft.ContainerRegistry/registries@2023-07-01' existing = {
  name: 'cafeproductionb42c0e1c762'
}

resource place_main 'Microsoft.App/managedEnvironments@2026-01-01' existing = {
  name: 'cafe-production'
}

resource workload_till 'Microsoft.App/containerApps@2026-01-01' existing = {
  name: 'till'
}

resource identity_till 'Microsoft.ManagedIdentity/userAssignedIdentities@2024-11-30' existing = {
  name: 'cafe-production-till'
}

resource workload_menu 'Microsoft.App/containerApps@2026-01-01' existing = {
  name: 'menu'
}

resource identity_menu 'Microsoft.ManagedIdentity/userAssignedIdentities@2024-11-30' existing = {
  name: 'cafe-production-menu'
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

resource grade_places 'Microsoft.Authorization/roleDefinitions@2022-04-01' = {
  name: guid(resourceGroup().id, 'places')
  properties: {
    roleName: 'cafe-production-places-b42c0'
    type: 'CustomRole'
    permissions: [
      {
        actions: [
          'Microsoft.App/managedEnvironments/read'
          'Microsoft.App/managedEnvironments/join/action'
        ]
      }
    ]
    assignableScopes: [
      resourceGroup().id
    ]
  }
}

resource grade_delivers 'Microsoft.Authorization/roleDefinitions@2022-04-01' = {
  name: guid(resourceGroup().id, 'delivers')
  properties: {
    roleName: 'cafe-production-delivers-b42c0'
    type: 'CustomRole'
    permissions: [
      {
        actions: [
          'Microsoft.App/containerApps/read'
          'Microsoft.App/containerApps/write'
          'Microsoft.App/containerApps/revisions/read'
        ]
      }
    ]
    assignableScopes: [
      resourceGroup().id
    ]
  }
}

resource grade_lends 'Microsoft.Authorization/roleDefinitions@2022-04-01' = {
  name: guid(resourceGroup().id, 'lends')
  properties: {
    roleName: 'cafe-production-lends-b42c0'
    type: 'CustomRole'
    permissions: [
      {
        actions: [
          'Microsoft.ManagedIdentity/userAssignedIdentities/read'
          'Microsoft.ManagedIdentity/userAssignedIdentities/assign/action'
        ]
      }
    ]
    assignableScopes: [
      resourceGroup().id
    ]
  }
}

resource grade_starts 'Microsoft.Authorization/roleDefinitions@2022-04-01' = {
  name: guid(resourceGroup().id, 'starts')
  properties: {
    roleName: 'cafe-production-starts-b42c0'
    type: 'CustomRole'
    permissions: [
      {
        actions: [
          'Microsoft.App/jobs/read'
          'Microsoft.App/jobs/executions/read'
          'Microsoft.App/jobs/start/action'
        ]
      }
    ]
    assignableScopes: [
      resourceGroup().id
    ]
  }
}

// places.
resource right_delivery_places_main 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(place_main.id, identity_delivery.id, grade_places.id)
  scope: place_main
  properties: {
    roleDefinitionId: grade_places.id
    principalId: identity_delivery.properties.principalId
    principalType: 'ServicePrincipal'
  }
}

// delivers.
resource right_delivery_delivers_till 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(workload_till.id, identity_delivery.id, grade_delivers.id)
  scope: workload_till
  properties: {
    roleDefinitionId: grade_delivers.id
    principalId: identity_delivery.properties.principalId
    principalType: 'ServicePrincipal'
  }
}

// lends.
resource right_delivery_lends_till 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(identity_till.id, identity_delivery.id, grade_lends.id)
  scope: identity_till
  properties: {
    roleDefinitionId: grade_lends.id
    principalId: identity_delivery.properties.principalId
    principalType: 'ServicePrincipal'
  }
}

// delivers.
resource right_delivery_delivers_menu 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(workload_menu.id, identity_delivery.id, grade_delivers.id)
  scope: workload_menu
  properties: {
    roleDefinitionId: grade_delivers.id
    principalId: identity_delivery.properties.principalId
    principalType: 'ServicePrincipal'
  }
}

// lends.
resource right_delivery_lends_menu 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(identity_menu.id, identity_delivery.id, grade_lends.id)
  scope: identity_menu
  properties: {
    roleDefinitionId: grade_lends.id
    principalId: identity_delivery.properties.principalId
    principalType: 'ServicePrincipal'
  }
}

// starts.
resource right_delivery_starts_operator 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(job_operator.id, identity_delivery.id, grade_starts.id)
  scope: job_operator
  properties: {
    roleDefinitionId: grade_starts.id
    principalId: identity_delivery.properties.principalId
    principalType: 'ServicePrincipal'
  }
}
