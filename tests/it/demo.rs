//! The demo of the sandbox: it tells its story with the real binary, and ends well.

use std::path::Path;

use sandbox::program::{App, Paper, demo};

/// What the story stands on, in its order.
const STORY: [&str; 12] = [
    "function-invite: [POST]",
    "200 OK, batch",
    "Amara Okafor      sent",
    "Diego Sánchez     skipped  The contact has no primary e-mail address.",
    "Letters went out",
    "Amara Okafor  Redeemed  redeemed 1 of 1",
    "Amara Okafor      skipped  The contact already has a sign-in to the site.",
    "Letters: 4 before, 4 after.",
    "function-sweep: 3 expired invitations closed",
    "of 6 letters are out when process",
    "6 entries settled, 0 left.",
    "14 contacts, 10 letters, nobody got two.",
];

#[tokio::test]
async fn the_demo_tells_its_story_without_a_surprise_a_colour_or_a_code() {
    let handler = Path::new(env!("CARGO_BIN_EXE_portal-invite"));
    let mut page = Vec::new();
    let app = App::staged(handler).unwrap();
    let told = demo(app, 0, 1, Paper::plain(&mut page)).await;
    let page = String::from_utf8(page).unwrap();
    assert!(told.is_ok(), "{told:?}\n{page}");
    let mut rest = page.as_str();
    for line in STORY {
        let found = rest.find(line);
        let found = found.unwrap_or_else(|| panic!("{line:?} is not in its place in\n{page}"));
        rest = &rest[found..];
    }
    assert!(!page.contains('\x1b'), "colours are for terminals");
    for shown in page.split("invitation=").skip(1) {
        let code: String = shown
            .chars()
            .take_while(|c| c.is_ascii_alphanumeric() || "-_".contains(*c))
            .collect();
        assert_eq!(code.len(), 4, "four characters of a code are shown");
    }
}
