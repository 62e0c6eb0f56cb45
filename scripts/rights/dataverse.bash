# shellcheck shell=bash disable=SC2034,SC2154
# The application user in Dataverse, its roles and their privileges: granted, and compared with what is there. Sourced
# by scripts/grant, which sets the options; `unit`, `role`, `user` and `differs` pass what was found.
# https://learn.microsoft.com/power-apps/developer/data-platform/webapi/reference/replaceprivilegesrole

# The privileges of a role, as {table, verb, why, check}.
wanted() { # service|doctor
  jq --arg role "$1" --arg features "core,doctor,$features" '
    ($features | split(",")) as $chosen
    | [.[] | select(.role == $role and (.feature | IN($chosen[]))) | {table, verb: .verbs[], why, check}]
    | unique_by(.table, .verb)' "$here/rights/privileges.json"
}

# The same with the ids that this environment has for them; those that it does not have are without.
resolve() { # WANTED
  local tables definitions names privileges
  tables=$(jq --raw-output '[.[].table] | unique | map("LogicalName eq \u0027\(.)\u0027") | join(" or ") | @uri' <<<"$1")
  definitions=$(get "$api/EntityDefinitions?\$select=LogicalName,Privileges&\$filter=$tables" '{"value":[]}')
  # What no definition tells is looked for by name.
  names=$(jq --raw-output --argjson known "$definitions" '
    [.[] | select(. as $it | $known.value | any(.LogicalName == $it.table and any(.Privileges[]; .PrivilegeType == $it.verb)) | not)
     | "name eq \u0027prv\(.verb)\(.table)\u0027"] | unique | join(" or ") | @uri' <<<"$1")
  privileges='{"value":[]}'
  if [[ -n $names ]]; then
    privileges=$(get "$api/privileges?\$select=privilegeid,name&\$filter=$names" '{"value":[]}')
  fi
  jq --argjson known "$definitions" --argjson named "$privileges" --arg dry "$dry_run" '
    map(. as $it
      | [($known.value[] | select(.LogicalName == $it.table) | .Privileges[] | select(.PrivilegeType == $it.verb)
          | {id: .PrivilegeId, name: .Name}),
         ($named.value[] | select((.name | ascii_downcase) == ("prv\($it.verb)\($it.table)" | ascii_downcase))
          | {id: .privilegeid, name}),
         (if $dry != "" then {id: "<id of \($it.verb) on \($it.table)>", name: "\($it.verb) on \($it.table)"} else empty end)]
      | $it + (first // {id: null, name: "\($it.verb) on \($it.table)"}))' <<<"$1"
}

# What a role has too little and too much. Dataverse keeps privileges of SharePoint in every role.
compare() { # RESOLVED, ROLE
  local held
  held=$(get "$api/RetrieveRolePrivilegesRole(RoleId=$2)" '{"RolePrivileges":[]}')
  jq --argjson held "$held" '
    [.[] | select(.id)] as $wanted
    | {missing: [$wanted[] | select(. as $it | $held.RolePrivileges
                 | any(.PrivilegeId == $it.id and .Depth == "Global") | not) | .name] | unique,
       extra: [$held.RolePrivileges[] | select(.PrivilegeId as $id | $wanted | any(.id == $id) | not)
               | (.PrivilegeName // .PrivilegeId) | select(test("SharePoint") | not)]}' <<<"$1"
}

list() { jq --raw-output "$2 | join(\", \")" <<<"$1"; }

find_unit() {
  unit=$(get "$api/businessunits?\$select=businessunitid&\$filter=_parentbusinessunitid_value%20eq%20null" \
    '{"value":[{"businessunitid":"<root business unit>"}]}' | jq --raw-output '.value[0].businessunitid // empty')
  [[ -n $unit ]] || die "the environment shows no root business unit: are you a System Administrator of it?"
}

# Sets `role`, which stays empty where there is none.
find_role() { # NAME, PLACEHOLDER
  role=$(get "$api/roles?\$select=roleid&\$filter=name%20eq%20$(literal "$1")%20and%20_businessunitid_value%20eq%20$unit" \
    "{\"value\":[$2]}" | jq --raw-output '.value[0].roleid // empty')
}

# Sets `user`, the same way.
find_user() { # PLACEHOLDER
  local found
  found=$(get "$api/systemusers?\$select=systemuserid,isdisabled,_businessunitid_value&\$filter=applicationid%20eq%20$client_id" \
    "{\"value\":[$1]}")
  user=$(jq --raw-output '.value[0].systemuserid // empty' <<<"$found")
  [[ -n $user && -z $dry_run ]] || return 0
  [[ $(jq '.value[0].isdisabled' <<<"$found") == false ]] ||
    die "the application user is disabled: activate it in the Power Platform admin center"
  [[ $(jq --raw-output '.value[0]._businessunitid_value' <<<"$found") == "$unit" ]] ||
    die "the application user is in another business unit than the root one: move it there first"
}

ensure_role() { # NAME, service|doctor
  local resolved difference absent
  find_role "$1" ""
  if [[ -z $role ]]; then
    post "$api/roles" "$(jq --null-input --compact-output --arg name "$1" --arg unit "/businessunits($unit)" \
      '{name: $name, "businessunitid@odata.bind": $unit}')"
    find_role "$1" '{"roleid":"<role>"}'
    tell "Role $1: made."
  else
    tell "Role $1: there already."
  fi
  resolved=$(resolve "$(wanted "$2")")
  absent=$(list "$resolved" 'map(select(.id == null) | .name)')
  [[ -z $absent ]] || tell "  left out, because this environment does not have it: $absent"
  difference=$(compare "$resolved" "$role")
  if [[ $(jq '(.missing + .extra) == []' <<<"$difference") == true ]]; then
    tell "  its privileges: as they should be already."
    return
  fi
  post "$api/roles($role)/Microsoft.Dynamics.CRM.ReplacePrivilegesRole" \
    "$(jq --compact-output '{Privileges: [.[] | select(.id) | {PrivilegeId: .id, Depth: "Global"}] | unique}' <<<"$resolved")"
  tell "  given: $(list "$difference" .missing)"
  [[ $(jq '.extra == []' <<<"$difference") == true ]] || tell "  taken away: $(list "$difference" .extra)"
  [[ -n $dry_run ]] || confirm "$resolved"
}

# A role may keep what it was not given, and an environment may not take what it was asked to.
confirm() { # RESOLVED
  local difference
  difference=$(compare "$1" "$role")
  [[ $(jq '.missing == []' <<<"$difference") == true ]] ||
    die "Dataverse did not put this into the role: $(list "$difference" .missing)"
  [[ $(jq '.extra == []' <<<"$difference") == true ]] ||
    tell "  Dataverse keeps in the role: $(list "$difference" .extra)"
}

ensure_assignment() { # NAME
  local assigned='{"value":[]}'
  if [[ $with == pac ]]; then
    [[ -z $user ]] || assigned=$(get "$api/systemusers($user)/systemuserroles_association?\$select=roleid,name" "$assigned")
  else
    assigned=$(get "$api/systemusers($user)/systemuserroles_association?\$select=roleid,name" "$assigned")
  fi
  if [[ $(jq --arg role "$role" '.value | any(.roleid == $role)' <<<"$assigned") == true ]]; then
    tell "  the application user has it already."
  elif [[ $with == pac ]]; then
    run pac admin assign-user --environment "$resource" --user "$client_id" --role "$1" --application-user >&3 ||
      die "pac did not assign the role; what it says is above"
    find_user '{"systemuserid":"<user>"}'
  else
    post "$api/systemusers($user)/systemuserroles_association/\$ref" "{\"@odata.id\":\"$api/roles($role)\"}"
    tell "  given to the application user."
  fi
}

grant_dataverse() {
  check_sign_in
  [[ $with == az || -n $dry_run ]] || needs pac https://learn.microsoft.com/power-platform/developer/cli/introduction
  find_unit
  find_user ""
  if [[ -n $user ]]; then
    tell "Application user $client_id: there already."
  elif [[ $with == az ]]; then
    post "$api/systemusers" "{\"applicationid\":\"$client_id\",\"businessunitid@odata.bind\":\"/businessunits($unit)\"}"
    find_user '{"systemuserid":"<user>"}'
    tell "Application user $client_id: made."
  fi
  ensure_role "$role_name" service
  ensure_assignment "$role_name"
  [[ -n $doctor ]] || return 0
  ensure_role "$role_name doctor" doctor
  ensure_assignment "$role_name doctor"
}

check_role() { # NAME, service|doctor
  local resolved difference
  find_role "$1" '{"roleid":"<role>"}'
  if [[ -z $role ]]; then
    tell "Role $1: missing."
    differs=yes
    return
  fi
  resolved=$(resolve "$(wanted "$2")")
  difference=$(compare "$resolved" "$role")
  tell "Role $1:"
  jq --raw-output --argjson difference "$difference" '
    .[] | (if .id == null then "not in this environment" elif IN(.name; $difference.missing[]) then "MISSING" else "granted" end)
      + "  \(.name): \(.why) [doctor: \(.check)]"' <<<"$resolved" | while read -r line; do tell "  $line"; done
  [[ $(jq '.extra == []' <<<"$difference") == true ]] || tell "  more than it needs: $(list "$difference" .extra)"
  [[ $(jq '(.missing + .extra) == []' <<<"$difference") == true ]] || differs=yes
}

check_dataverse() {
  local assigned others
  find_unit
  find_user '{"systemuserid":"<user>"}'
  if [[ -z $user ]]; then
    tell "Application user $client_id: missing. [doctor: identity.user]"
    differs=yes
    return
  fi
  tell "Application user $client_id: there. [doctor: identity.user]"
  assigned=$(get "$api/systemusers($user)/systemuserroles_association?\$select=roleid,name" '{"value":[]}')
  local name names=("$role_name")
  [[ -z $doctor ]] || names+=("$role_name doctor")
  for name in "${names[@]}"; do
    [[ $(jq --arg name "$name" '.value | any(.name == $name)' <<<"$assigned") == true ]] || {
      tell "  it does not have the role $name."
      differs=yes
    }
  done
  others=$(jq --raw-output --arg one "$role_name" --arg two "$role_name doctor" \
    '[.value[].name | select(. != $one and . != $two)] | join(", ")' <<<"$assigned")
  [[ -z $others ]] || {
    tell "  Warning: it has other roles too, which may give it more than it needs: $others"
    differs=yes
  }
  check_role "$role_name" service
  [[ -z $doctor ]] || check_role "$role_name doctor" doctor
}
