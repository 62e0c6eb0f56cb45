// The storage account: the package, what the Functions host keeps, and the journals of portal-invite.
// Nobody has a key to it; who may do what is in the role assignments below.

@description('Name of the account: 3 to 24 small letters and digits.')
@minLength(3)
@maxLength(24)
param name string

@description('Region.')
param location string

@description('Tags.')
param tags object

@description('Object id of the identity that the app runs as.')
param hostPrincipalId string

@description('Object id of who may read journals and change letters. Empty: nobody.')
param editorPrincipalId string

@description('What that object is.')
@allowed(['User', 'Group', 'ServicePrincipal'])
param editorPrincipalType string

@description('Days that the app itself keeps finished journals; 0 where its default counts.')
@minValue(0)
param batchKeepDays int

// https://learn.microsoft.com/azure/role-based-access-control/built-in-roles/storage
var roleIds = {
  'Storage Blob Data Owner': 'b7e6dc6d-f1e8-4753-8033-0f276bb0955b'
  'Storage Blob Data Contributor': 'ba92f5b4-2d11-453d-a403-e96b0029c9fe'
}

resource account 'Microsoft.Storage/storageAccounts@2023-05-01' = {
  name: name
  location: location
  tags: tags
  kind: 'StorageV2'
  sku: { name: 'Standard_LRS' }
  properties: {
    allowBlobPublicAccess: false
    allowCrossTenantReplication: false
    allowSharedKeyAccess: false
    defaultToOAuthAuthentication: true
    minimumTlsVersion: 'TLS1_2'
    // The instances of the plan have no fixed addresses. docs/DEPLOY.md says what a private network takes.
    publicNetworkAccess: 'Enabled'
    supportsHttpsTrafficOnly: true
  }
}

resource blobs 'Microsoft.Storage/storageAccounts/blobServices@2023-05-01' = {
  parent: account
  name: 'default'
  properties: {
    containerDeleteRetentionPolicy: { enabled: true, days: 7 }
    deleteRetentionPolicy: { enabled: true, days: 7 }
  }
}

resource package 'Microsoft.Storage/storageAccounts/blobServices/containers@2023-05-01' = {
  parent: blobs
  name: 'app-package'
  properties: { publicAccess: 'None' }
}

resource journals 'Microsoft.Storage/storageAccounts/blobServices/containers@2023-05-01' = {
  parent: blobs
  name: 'portal-invite'
  properties: { publicAccess: 'None' }
}

// The hourly sweep of the app removes these in time. This rule is for an app that does not run any more, so it waits
// longer, whatever BATCH_KEEP_DAYS is. Open work and changed letters are none of its business.
// https://learn.microsoft.com/azure/storage/blobs/lifecycle-management-policy-structure says that append blobs can be deleted.
resource lifecycle 'Microsoft.Storage/storageAccounts/managementPolicies@2023-05-01' = {
  parent: account
  name: 'default'
  properties: {
    policy: {
      rules: [
        {
          name: 'RemoveFinishedJournals'
          enabled: true
          type: 'Lifecycle'
          definition: {
            filters: {
              blobTypes: ['blockBlob', 'appendBlob']
              prefixMatch: ['portal-invite/done/', 'portal-invite/keys/']
            }
            actions: {
              baseBlob: { delete: { daysAfterModificationGreaterThan: max(batchKeepDays + 90, 455) } }
            }
          }
        }
      ]
    }
  }
}

// What the host needs of its storage: locks of the timers and keys of callers, both blobs. It has no queue or table
// of its own here. https://learn.microsoft.com/azure/azure-functions/functions-reference#connecting-to-host-storage-with-an-identity
resource hostRole 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(account.id, hostPrincipalId, roleIds['Storage Blob Data Owner'])
  scope: account
  properties: {
    principalId: hostPrincipalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roleIds['Storage Blob Data Owner'])
  }
}

resource editorRole 'Microsoft.Authorization/roleAssignments@2022-04-01' = if (!empty(editorPrincipalId)) {
  name: guid(journals.id, editorPrincipalId, roleIds['Storage Blob Data Contributor'])
  scope: journals
  properties: {
    principalId: editorPrincipalId
    principalType: editorPrincipalType
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roleIds['Storage Blob Data Contributor'])
  }
}

@description('Address of the blob service.')
output blobEndpoint string = account.properties.primaryEndpoints.blob

@description('Container that deployments put the package into.')
output packageContainerName string = package.name
