//! Inviting: the happy path.

use serde_json::json;

use crate::world::World;

#[tokio::test]
async fn a_contact_gets_one_row_one_letter_and_a_link_that_redeems() {
    let world = World::start().await;
    let ann = world.contact("Ann");
    let answer = world.invite_contacts(&[ann]).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    assert_eq!(answer.outcomes(), ["sent"]);
    let row = world.row(ann);
    assert_eq!(row["adx_name"], "Ann Tester");
    assert_eq!(row["adx_type"], 756_150_000);
    assert_eq!(row["adx_maximumredemptions"], 1);
    assert_eq!(row["importsequencenumber"], json!(answer.batch()));
    world.assert_each_has_one_letter_and_row(&[ann]);
    let code = row["adx_invitationcode"].as_str().unwrap();
    assert_eq!(code.len(), 43);
    world
        .sandbox
        .portal
        .redeem(code, "ann", "ann@customer.example")
        .unwrap();
    assert_eq!(world.row(ann)["statuscode"], 756_150_001);
}
