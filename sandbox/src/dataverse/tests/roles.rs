//! Roles, once they count: who is a user, what each may do, and how an administrator changes that.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::Request;

use super::*;

const APPLICATION: Uuid = Uuid::from_u128(7);
const ADMINISTRATOR: Uuid = Uuid::from_u128(8);

fn token(claims: &Value) -> String {
    format!("e30.{}.", URL_SAFE_NO_PAD.encode(claims.to_string()))
}

/// An environment where roles count, and who asks there.
struct Strict(World);

impl Strict {
    fn new() -> Self {
        let world = World::new();
        world.dataverse.enforce_roles(ADMINISTRATOR);
        Self(world)
    }

    async fn ask(&self, claims: &Value, method: &str, target: &str, body: &Value) -> Answered {
        let uri = format!("http://dataverse.test/api/data/v9.2/{target}");
        let request = Request::builder().method(method).uri(uri);
        let request = request
            .header("authorization", format!("Bearer {}", token(claims)))
            .header("content-type", "application/json");
        let body = if body.is_null() {
            String::new()
        } else {
            body.to_string()
        };
        self.0.pass(request.body(body.into()).unwrap()).await
    }

    async fn administrator(&self, method: &str, target: &str, body: Value) -> Answered {
        let claims = json!({"idtyp": "user", "oid": ADMINISTRATOR});
        self.ask(&claims, method, target, &body).await
    }

    async fn application(&self, target: &str) -> Answered {
        let claims = json!({"idtyp": "app", "appid": APPLICATION});
        self.ask(&claims, "GET", target, &Value::Null).await
    }

    async fn first(&self, target: &str, key: &str) -> String {
        let answer = self.administrator("GET", target, Value::Null).await;
        let found = answer.body["value"][0][key].as_str();
        found
            .unwrap_or_else(|| panic!("{}", answer.text))
            .to_owned()
    }

    async fn unit(&self) -> String {
        let target =
            "businessunits?$select=businessunitid&$filter=_parentbusinessunitid_value%20eq%20null";
        let id = self.first(target, "businessunitid").await;
        format!("/businessunits({id})")
    }

    async fn add_user(&self) -> Answered {
        let body =
            json!({"applicationid": APPLICATION, "businessunitid@odata.bind": self.unit().await});
        self.administrator("POST", "systemusers", body).await
    }

    /// Makes the application a user with an empty role, and gives the role.
    async fn add_user_with_role(&self) -> String {
        assert_eq!(self.add_user().await.status, 204);
        let body = json!({"name": "narrow", "businessunitid@odata.bind": self.unit().await});
        assert_eq!(self.administrator("POST", "roles", body).await.status, 204);
        let role = "roles?$select=roleid&$filter=name%20eq%20'narrow'";
        let role = self.first(role, "roleid").await;
        let user =
            format!("systemusers?$select=systemuserid&$filter=applicationid%20eq%20{APPLICATION}");
        let user = self.first(&user, "systemuserid").await;
        let body =
            json!({"@odata.id": format!("http://dataverse.test/api/data/v9.2/roles({role})")});
        let link = format!("systemusers({user})/systemuserroles_association/$ref");
        let linked = self.administrator("POST", &link, body.clone()).await;
        assert_eq!(linked.status, 204, "{}", linked.text);
        assert_eq!(self.administrator("POST", &link, body).await.status, 412);
        role
    }

    async fn privilege(&self, name: &str) -> String {
        let target = format!("privileges?$select=privilegeid&$filter=name%20eq%20'{name}'");
        self.first(&target, "privilegeid").await
    }

    async fn replace(&self, role: &str, privileges: Value) -> Answered {
        let target = format!("roles({role})/Microsoft.Dynamics.CRM.ReplacePrivilegesRole");
        let body = json!({ "Privileges": privileges });
        self.administrator("POST", &target, body).await
    }
}

#[tokio::test(start_paused = true)]
async fn an_application_that_is_no_user_is_refused_and_one_without_roles_is_told_so() {
    let strict = Strict::new();
    let stranger = strict.application("WhoAmI").await;
    assert_eq!(
        (stranger.status.as_u16(), stranger.code()),
        (403, "0x80072560")
    );
    assert_eq!(strict.add_user().await.status, 204);
    let twice = strict.add_user().await;
    assert_eq!(twice.status, 400, "{}", twice.text);
    assert_eq!(strict.application("WhoAmI").await.status, 200);
    let bare = strict.application("contacts").await;
    assert_eq!((bare.status.as_u16(), bare.code()), (403, "0x80042f09"));
}

#[tokio::test(start_paused = true)]
async fn a_disabled_user_is_refused() {
    let strict = Strict::new();
    strict.add_user_with_role().await;
    let id = strict.application("WhoAmI").await.body["UserId"].clone();
    let target = format!("systemusers({})", id.as_str().unwrap());
    strict
        .administrator("PATCH", &target, json!({"isdisabled": true}))
        .await;
    let refused = strict.application("WhoAmI").await;
    assert_eq!(
        (refused.status.as_u16(), refused.code()),
        (403, "0x80040225")
    );
}

#[tokio::test(start_paused = true)]
async fn a_role_gives_what_is_in_it_and_nothing_else() {
    let strict = Strict::new();
    let role = strict.add_user_with_role().await;
    let refused = strict.application("contacts").await;
    assert_eq!(refused.status, 403);
    assert!(refused.text.contains("prvReadContact"), "{}", refused.text);
    let read = strict.privilege("prvReadContact").await;
    let granted = json!([{"PrivilegeId": read, "Depth": "Global"}]);
    assert_eq!(strict.replace(&role, granted).await.status, 204);
    assert_eq!(strict.application("contacts").await.status, 200);
    assert_eq!(strict.application("accounts").await.status, 403);
    assert_eq!(strict.replace(&role, json!([])).await.status, 204);
    assert_eq!(strict.application("contacts").await.status, 403);
    let administrator = strict.administrator("GET", "contacts", Value::Null).await;
    assert_eq!(administrator.status, 200);
}

#[tokio::test(start_paused = true)]
async fn a_privilege_of_basic_depth_shows_own_rows_only() {
    let strict = Strict::new();
    let role = strict.add_user_with_role().await;
    strict.0.contact("Anna");
    let read = strict.privilege("prvReadContact").await;
    let rows = async |depth: &str| {
        let granted = json!([{"PrivilegeId": read, "Depth": depth}]);
        strict.replace(&role, granted).await;
        let answer = strict.application("contacts?$select=fullname").await;
        answer.body["value"].as_array().unwrap().len()
    };
    assert_eq!(rows("Basic").await, 0);
    assert_eq!(rows("Local").await, 1);
    assert_eq!(rows("Global").await, 1);
}

#[tokio::test(start_paused = true)]
async fn a_role_lists_its_privileges_with_those_that_every_role_keeps() {
    let strict = Strict::new();
    let role = strict.add_user_with_role().await;
    let read = strict.privilege("prvReadContact").await;
    let granted = json!([{"PrivilegeId": read, "Depth": "Basic"}]);
    strict.replace(&role, granted).await;
    let target = format!("RetrieveRolePrivilegesRole(RoleId={role})");
    let answer = strict.administrator("GET", &target, Value::Null).await;
    let listed = answer.body["RolePrivileges"].as_array().unwrap();
    let depth = |name: &str| {
        let mut found = listed.iter().filter(|it| it["PrivilegeName"] == name);
        found.next().map(|it| it["Depth"].clone())
    };
    assert_eq!(depth("prvReadContact"), Some(json!("Basic")));
    assert_eq!(depth("prvReadSharePointData"), Some(json!("Global")));
    assert_eq!(listed.len(), 3);
}

#[tokio::test(start_paused = true)]
async fn a_wrong_list_of_privileges_changes_nothing() {
    let strict = Strict::new();
    let role = strict.add_user_with_role().await;
    let read = strict.privilege("prvReadContact").await;
    let good = json!({"PrivilegeId": read, "Depth": "Global"});
    assert_eq!(strict.replace(&role, json!([good])).await.status, 204);
    for (wrong, status) in [
        (json!([{"PrivilegeId": read, "Depth": "Everywhere"}]), 400),
        (json!([{"PrivilegeId": read}]), 400),
        (
            json!([{"PrivilegeId": Uuid::nil(), "Depth": "Global"}]),
            404,
        ),
    ] {
        let refused = strict.replace(&role, wrong).await;
        assert_eq!(refused.status.as_u16(), status, "{}", refused.text);
    }
    assert_eq!(strict.application("contacts").await.status, 200);
}

#[tokio::test(start_paused = true)]
async fn only_who_may_can_change_roles() {
    let strict = Strict::new();
    let role = strict.add_user_with_role().await;
    let claims = json!({"idtyp": "app", "appid": APPLICATION});
    let target = format!("roles({role})/Microsoft.Dynamics.CRM.ReplacePrivilegesRole");
    let body = json!({ "Privileges": [] });
    let refused = strict.ask(&claims, "POST", &target, &body).await;
    assert!(refused.text.contains("prvWriteRole"), "{}", refused.text);
}

#[tokio::test(start_paused = true)]
async fn definitions_take_privileges_of_their_own() {
    let strict = Strict::new();
    let role = strict.add_user_with_role().await;
    let one = "EntityDefinitions(LogicalName='contact')";
    for (target, privilege) in [
        (one.to_owned(), "prvReadEntity"),
        (format!("{one}/Attributes"), "prvReadAttribute"),
        (
            format!("{one}/ManyToManyRelationships"),
            "prvReadRelationship",
        ),
    ] {
        let mut granted = Vec::new();
        for name in ["prvReadEntity", "prvReadAttribute", "prvReadRelationship"] {
            granted.push(json!({"PrivilegeId": strict.privilege(name).await, "Depth": "Global"}));
        }
        strict.replace(&role, granted.clone().into()).await;
        assert_eq!(strict.application(&target).await.status, 200, "{target}");
        let own = strict.privilege(privilege).await;
        granted.retain(|it| it["PrivilegeId"] != own.as_str());
        strict.replace(&role, granted.into()).await;
        let refused = strict.application(&target).await;
        assert!(refused.text.contains(privilege), "{}", refused.text);
    }
}

#[tokio::test(start_paused = true)]
async fn several_definitions_are_read_at_once_and_absent_tables_are_left_out() {
    let world = World::new();
    let named = "EntityDefinitions?$select=LogicalName,Privileges&$filter=";
    let filter = "LogicalName%20eq%20'contact'%20or%20LogicalName%20eq%20'adx_webrole'";
    let answer = world.get(&format!("{named}{filter}")).await;
    let found = answer.body["value"].as_array().unwrap();
    assert_eq!(found.len(), 1, "{}", answer.text);
    assert_eq!(found[0]["LogicalName"], "contact");
    let other = world
        .get(&format!("{named}contains(LogicalName,'a')"))
        .await;
    assert_eq!(other.status, 501);
}
