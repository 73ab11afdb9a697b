// Written by `shoal deploy azure`; changes are lost. Resources of yours go into files of other names
// beside it.
// The same as Terraform's files beside it: use one of the two. az deployment group create -f
// main.bicep ...

param location string = 'eastus2'

param tags object = {
  system: 'cafe'
  environment: 'production'
  'managed-by': 'bicep'
}

@description('Passwords of databases, by name; keep them.')
@secure()
param passwords object = {}

module ground 'ground.bicep' = {
  params: {
    location: location
    tags: tags
  }
}

module network 'network.bicep' = {
  params: {
    location: location
    tags: tags
  }
}

module streams 'streams.bicep' = {
  params: {
    location: location
    tags: tags
  }
}

module vault 'vault.bicep' = {
  params: {
    location: location
    tags: tags
  }
}

module names 'names.bicep' = {
  params: {
    location: location
    tags: tags
  }
  dependsOn: [
    network
  ]
}

module place 'place.bicep' = {
  params: {
    location: location
    tags: tags
  }
  dependsOn: [
    ground
    network
  ]
}

module inside 'inside.bicep' = {
  params: {
    location: location
    tags: tags
  }
  dependsOn: [
    names
    network
    vault
  ]
}

module operator 'operator.bicep' = {
  params: {
    location: location
    tags: tags
  }
  dependsOn: [
    ground
    inside
    place
    streams
  ]
}

module service_menu 'service-menu.bicep' = {
  params: {
    location: location
    tags: tags
    passwords: passwords
  }
  dependsOn: [
    ground
    inside
    names
    network
    place
    streams
    vault
  ]
}

module service_till 'service-till.bicep' = {
  params: {
    location: location
    tags: tags
    passwords: passwords
  }
  dependsOn: [
    ground
    inside
    names
    network
    place
    streams
    vault
  ]
}

module delivery 'delivery.bicep' = {
  params: {
    location: location
    tags: tags
  }
  dependsOn: [
    ground
    operator
    place
    service_menu
    service_till
  ]
}

module edge 'edge.bicep' = {
  params: {
    location: location
    tags: tags
    domain: place.outputs.domain
  }
  dependsOn: [
    ground
    network
    place
    service_menu
    service_till
  ]
}
