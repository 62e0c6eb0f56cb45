// The identity that the app has everywhere: towards its storage, Application Insights, Dataverse and Graph.
// It is user-assigned, so that rights granted elsewhere outlive the function app.

@description('Name of the identity.')
param name string

@description('Region.')
param location string

@description('Tags.')
param tags object

resource identity 'Microsoft.ManagedIdentity/userAssignedIdentities@2023-01-31' = {
  name: name
  location: location
  tags: tags
}

@description('Resource id.')
output id string = identity.id

@description('Client (application) id.')
output clientId string = identity.properties.clientId

@description('Object id of its service principal.')
output principalId string = identity.properties.principalId
