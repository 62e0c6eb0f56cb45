# shellcheck shell=bash disable=SC2034,SC2154
# The right to send: in the sender mailboxes alone, by Exchange, or in the whole tenant, by Microsoft Graph. Sourced by
# scripts/grant, which sets the options.
# https://learn.microsoft.com/exchange/permissions-exo/application-rbac

graph=https://graph.microsoft.com
# The application id of Microsoft Graph, and the ids of its application roles, are the same in every tenant:
# https://learn.microsoft.com/graph/permissions-reference
graph_app=00000003-0000-0000-c000-000000000000
mail_roles='{"Mail.ReadWrite": "e2a3a72e-5f79-4c64-b1b1-878b674786c9", "Mail.Send": "b633e1c5-b582-4048-a93e-9f11b44c7e96"}'

# A PowerShell string.
quoted() { printf "'%s'" "${1//\'/\'\'}"; }

# What grant.ps1 runs in a tenant that has nothing of it yet.
show_exchange() {
  local sender filter='' right rights=(Mail.Send) name=portal-invite-${client_id:0:8}
  name=${name,,}
  [[ -n $send_only ]] || rights=(Mail.ReadWrite Mail.Send)
  for sender in ${senders//,/ }; do
    filter+="${filter:+ -or }PrimarySmtpAddress -eq $(quoted "$sender")"
  done
  say "Connect-ExchangeOnline -ShowBanner:\$false"
  say "New-ServicePrincipal -AppId $client_id -ObjectId $object_id -DisplayName $name"
  say "New-ManagementScope -Name $name -RecipientRestrictionFilter $(quoted "$filter")"
  for right in "${rights[@]}"; do
    say "New-ManagementRoleAssignment -Name '$name $right' -App $object_id -Role 'Application $right' -CustomResourceScope $name"
  done
  for sender in ${senders//,/ }; do
    say "Test-ServicePrincipalAuthorization -Identity $object_id -Resource $(quoted "$sender")"
  done
}

grant_exchange() {
  local command=(pwsh -NoProfile -File "$here/grant.ps1" -AppId "$client_id" -ObjectId "$object_id" -Senders "$senders")
  [[ -z $send_only ]] || command+=(-SendOnly)
  if [[ -n $dry_run ]]; then
    show "${command[@]}"
    show_exchange
    return
  fi
  needs pwsh https://learn.microsoft.com/powershell/scripting/install/installing-powershell
  "${command[@]}" || die "Exchange did not do all of it; what it says is above"
}

# The mail rights that the app has in the whole tenant, by name.
tenant_wide() {
  get "$graph/v1.0/servicePrincipals/$object_id/appRoleAssignments" '{"value":[]}' |
    jq --argjson roles "$mail_roles" '
      [.value[].appRoleId] as $held | $roles | with_entries(select(.value | IN($held[]))) | keys'
}

grant_graph() {
  tell "Warning: these rights open every mailbox of the tenant to the app, and a scope in Exchange does not narrow them."
  [[ -n $tenant_wide ]] || usage "if you mean it, say --tenant-wide; 'scripts/grant exchange' opens the sender mailboxes alone"
  resource=$graph
  check_sign_in
  local held graph_id right rights=(Mail.Send)
  [[ -n $send_only ]] || rights=(Mail.ReadWrite Mail.Send)
  held=$(tenant_wide)
  graph_id=$(get "$graph/v1.0/servicePrincipals(appId='$graph_app')?\$select=id" '{"id":"<Microsoft Graph>"}' |
    jq --raw-output .id)
  for right in "${rights[@]}"; do
    if [[ $(jq --arg right "$right" 'any(. == $right)' <<<"$held") == true ]]; then
      tell "$right: there already."
      continue
    fi
    post "$graph/v1.0/servicePrincipals/$graph_id/appRoleAssignedTo" "$(jq --null-input --compact-output \
      --arg app "$object_id" --arg graph "$graph_id" --arg role "$(jq --raw-output --arg right "$right" '.[$right]' <<<"$mail_roles")" \
      '{principalId: $app, resourceId: $graph, appRoleId: $role}')"
    tell "$right: granted in the whole tenant."
  done
}

check_mail() {
  local held
  resource=$graph
  held=$(tenant_wide | jq --raw-output 'join(", ")')
  if [[ -n $held ]]; then
    tell "Warning: $held granted in the whole tenant: every mailbox is open to the app, and a scope in Exchange does not narrow that."
    tell "  [doctor: mailboxes.rights passes then]"
  else
    tell "Nothing is granted in the whole tenant. What Exchange gives is told by Test-ServicePrincipalAuthorization. [doctor: mailboxes.sender]"
  fi
}
