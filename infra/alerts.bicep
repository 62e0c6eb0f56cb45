// Who is told, by e-mail, that accepted work does not go on. The queries read what the host and the app log;
// docs/OPERATIONS.md says what each line means and what to do.
// https://learn.microsoft.com/azure/azure-monitor/alerts/alerts-types#log-alerts

@description('What names of alerts begin with.')
param name string

@description('Region.')
param location string

@description('Tags.')
param tags object

@description('Resource id of Application Insights.')
param monitoringId string

@description('Addresses, separated by commas.')
param emails string

// A failed run is a request of the host that did not succeed. One is nothing: the next minute tries again.
var dispatchFails = '''
requests
| where name == 'function-dispatch' and success == false
| project timestamp, operation_Id, resultCode
'''

// These run each hour or day, and a digest that fails is in no later one.
var otherTimerFails = '''
requests
| where name in ('function-sweep', 'function-remind', 'function-digest') and success == false
| project timestamp, name, operation_Id, resultCode
'''

// The app says so on its way out, because of a setting, the store or a port.
var cannotRun = '''
traces
| where message has 'portal-invite cannot run'
| extend line = parse_json(message)
| project timestamp, error = tostring(line.error)
'''

// It runs each minute, and logs arrive minutes late. An app that does not come up, lacks its schedule or has used up
// its daily gigabytes shows here.
var dispatchSilent = '''
requests
| where name == 'function-dispatch'
| summarize runs = count()
| where runs == 0
'''

// Windows and frequencies as
// https://learn.microsoft.com/azure/azure-monitor/alerts/alerts-create-log-alert-rule allows them.
var rules = [
  {
    key: 'dispatch-fails'
    title: 'Accepted invitations are not gone on with'
    description: 'More than two runs of function-dispatch failed within 15 minutes.'
    severity: 1
    query: dispatchFails
    window: 'PT15M'
    above: 2
  }
  {
    key: 'dispatch-silent'
    title: 'Nobody goes on with accepted invitations'
    description: 'function-dispatch has not run for 15 minutes.'
    severity: 1
    query: dispatchSilent
    window: 'PT15M'
    above: 0
  }
  {
    key: 'cannot-run'
    title: 'portal-invite cannot run'
    description: 'The app ended at its start. The error names the setting or the place.'
    severity: 1
    query: cannotRun
    window: 'PT15M'
    above: 0
  }
  {
    key: 'timer-fails'
    title: 'The sweep, reminders or the digest failed'
    description: 'A run of function-sweep, function-remind or function-digest failed within an hour.'
    severity: 2
    query: otherTimerFails
    window: 'PT1H'
    above: 0
  }
]

resource receivers 'Microsoft.Insights/actionGroups@2023-01-01' = {
  name: name
  location: 'global'
  tags: tags
  properties: {
    enabled: true
    groupShortName: 'invitations'
    emailReceivers: map(range(0, length(split(emails, ','))), index => {
      name: 'email-${index}'
      emailAddress: trim(split(emails, ',')[index])
      useCommonAlertSchema: true
    })
  }
}

resource alerts 'Microsoft.Insights/scheduledQueryRules@2023-12-01' = [for rule in rules: {
  name: '${name}-${rule.key}'
  location: location
  tags: tags
  kind: 'LogAlert'
  properties: {
    displayName: rule.title
    description: rule.description
    enabled: true
    severity: rule.severity
    scopes: [monitoringId]
    evaluationFrequency: 'PT5M'
    windowSize: rule.window
    criteria: {
      allOf: [
        {
          query: rule.query
          timeAggregation: 'Count'
          operator: 'GreaterThan'
          threshold: rule.above
          failingPeriods: { minFailingPeriodsToAlert: 1, numberOfEvaluationPeriods: 1 }
        }
      ]
    }
    autoMitigate: true
    actions: { actionGroups: [receivers.id] }
  }
}]
