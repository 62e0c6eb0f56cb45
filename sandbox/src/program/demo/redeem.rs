//! What an invited person does: reads the letter, follows its link, fills in the form.

use anyhow::Context as _;

use super::{Story, cast::Contact, expect, rows::standing};
use crate::graph::Letter;

/// As many characters of a code as are shown: enough to tell two apart, too few to use.
const SHOWN: usize = 4;

/// The redeem link of a letter.
pub(super) fn link(letter: &Letter) -> anyhow::Result<String> {
    let links = letter.html.split("href=\"").skip(1);
    let link = links
        .filter_map(|rest| rest.split('"').next())
        .find(|link| link.contains("invitation="));
    let link = link.context("a letter has no redeem link")?;
    Ok(html_escape::decode_html_entities(link).into_owned())
}

/// A link that nobody can redeem with, to show.
pub(super) fn shortened(link: &str) -> String {
    let (before, code) = link.split_once("invitation=").unwrap_or((link, ""));
    let start: String = code.chars().take(SHOWN).collect();
    format!("{before}invitation={start}…")
}

impl Story<'_> {
    /// The contact redeems the invitation in the portal.
    pub(super) async fn redeem(&mut self, contact: &Contact) -> anyhow::Result<()> {
        let first_name = contact.name.split(' ').next().unwrap_or_default();
        self.paper.title(&format!(
            "{first_name} follows the link and registers in the portal"
        ))?;
        let letter = self.letter_to(contact)?;
        let link = link(&letter)?;
        let page = self.door.open(&link).await?;
        expect("the status of the portal's page", page.status.as_u16(), 200)?;
        expect(
            "after only looking, the row",
            self.standing(contact)?,
            "Sent",
        )?;
        self.paper.text(&format!(
            "GET   {}  -> {}, a form; nothing changes yet",
            shortened(&link),
            page.status.as_u16()
        ))?;
        let form = filled_in(&page.text, first_name, contact.email.unwrap_or_default());
        let answer = self.door.submit(&link, &form).await?;
        let location = answer.location.as_deref().unwrap_or("nowhere");
        expect(
            "where the portal leads after the form",
            location,
            "/profile",
        )?;
        self.paper.text(&format!(
            "POST  the form  -> {}, on to {location}\n",
            answer.status.as_u16()
        ))?;
        expect("the row's status", self.standing(contact)?, "Redeemed")?;
        self.show_rows([contact])
    }

    fn letter_to(&self, contact: &Contact) -> anyhow::Result<Letter> {
        let letters = self.stage.sandbox.graph.letters();
        let to = |letter: &Letter| {
            letter
                .to
                .iter()
                .any(|to| Some(to.as_str()) == contact.email)
        };
        let letter = letters.into_iter().find(to);
        letter.with_context(|| format!("there is no letter to {}", contact.name))
    }

    fn standing(&self, contact: &Contact) -> anyhow::Result<&'static str> {
        Ok(standing(&self.row(contact)?))
    }
}

/// The fields of a page's form, with what the person types.
fn filled_in(page: &str, username: &str, email: &str) -> Vec<(String, String)> {
    let inputs = page.split("<input ").skip(1);
    let inputs = inputs.filter_map(|rest| rest.split('>').next());
    inputs
        .filter_map(|input| {
            let name = attribute(input, "name")?;
            let value = match name.as_str() {
                "username" => username.to_lowercase(),
                "email" => email.to_owned(),
                _ => attribute(input, "value").unwrap_or_default(),
            };
            Some((name, value))
        })
        .collect()
}

fn attribute(tag: &str, name: &str) -> Option<String> {
    let (_, rest) = tag.split_once(&format!("{name}=\""))?;
    let value = rest.split('"').next()?;
    Some(html_escape::decode_html_entities(value).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_is_shown_without_its_code() {
        let link = "http://127.0.0.1:1/register?invitation=abcdefgh&returnurl=/x";
        let expected = "http://127.0.0.1:1/register?invitation=abcd…";
        assert_eq!(shortened(link), expected);
    }

    #[test]
    fn a_form_keeps_what_the_page_filled_in() {
        let page = r#"<form><input type="hidden" name="token" value="a&amp;b"><input name="username"></form>"#;
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        let expected = [pair("token", "a&b"), pair("username", "amara")];
        assert_eq!(filled_in(page, "Amara", ""), expected);
    }
}
