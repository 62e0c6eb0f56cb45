//! What the site's pages say and look like: one frame and a few pieces, for phones first, light and dark.
//!
//! Knows no rule; what it is given is escaped here and nowhere else.

use html_escape::{encode_double_quoted_attribute as quoted, encode_text as text};

use super::RedeemError;

const STYLE: &str = include_str!("site.css");

/// Somebody who signed up and did not sign out.
pub(super) struct Visitor {
    pub(super) name: String,
    pub(super) username: String,
    pub(super) email: String,
}

/// What every page has around what it says.
pub(super) struct Frame<'a> {
    /// The language that the path begins with, such as `/da-DK`, or nothing.
    pub(super) prefix: &'a str,
    pub(super) visitor: Option<&'a Visitor>,
}

impl Frame<'_> {
    /// A whole page.
    pub(super) fn page(&self, title: &str, body: &str) -> String {
        let prefix = quoted(self.prefix);
        let who = self.visitor.map(|visitor| {
            let name = text(&visitor.name);
            format!("<a class=\"who\" href=\"{prefix}/profile\">{name}</a>")
        });
        format!(
            "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\">\
             <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\
             <meta name=\"referrer\" content=\"no-referrer\"><link rel=\"icon\" href=\"data:,\">\
             <title>{} · Portal</title><style>{STYLE}</style></head><body>\
             <header><a class=\"site\" href=\"{prefix}/\">Portal</a>{}</header><main>{body}</main>\
             <footer><p>This is the portal of the portal-invite sandbox: a stand-in for your own site, gone when the \
             sandbox ends.</p></footer></body></html>",
            text(title),
            who.unwrap_or_default()
        )
    }

    pub(super) fn home(&self) -> String {
        let body = format!(
            "<h1>Welcome</h1><p class=\"lead\">People come here by invitation. Yours is in the letter that you got.</p>\
             <p><a class=\"button\" href=\"{}/register\">Redeem an invitation</a></p>",
            quoted(self.prefix)
        );
        self.page("Welcome", &body)
    }

    /// Who signed up, or how to.
    pub(super) fn profile(&self, token: &str) -> String {
        let prefix = quoted(self.prefix);
        let body = match self.visitor {
            Some(visitor) => format!(
                "<h1>Welcome, {}</h1><p class=\"lead\">You have an account now. Your invitation is redeemed.</p>\
                 <dl><dt>User name</dt><dd>{}</dd><dt>E-mail</dt><dd>{}</dd></dl>\
                 <form method=\"post\" action=\"{prefix}/account/login/logoff\">{}\
                 <button class=\"quiet\">Sign out</button></form>",
                text(&visitor.name),
                text(&visitor.username),
                text(&visitor.email),
                hidden(TOKEN, token)
            ),
            None => format!(
                "<h1>Nobody is signed in</h1><p class=\"lead\">An account begins with an invitation.</p>\
                 <p><a class=\"button\" href=\"{prefix}/register\">Redeem an invitation</a></p>"
            ),
        };
        self.page("Profile", &body)
    }

    pub(super) fn not_found(&self, why: &str) -> String {
        let body = format!(
            "<h1>Page not found</h1><p class=\"lead\">{why}</p><p><a href=\"{}/\">To the first page</a></p>",
            quoted(self.prefix)
        );
        self.page("Page not found", &body)
    }

    pub(super) fn stale(&self) -> String {
        let body = "<h1>This form is too old</h1><p class=\"lead\">Its antiforgery token is missing or unknown. \
                    Open the link in your letter once more.</p>";
        self.page("This form is too old", body)
    }

    pub(super) fn form(&self, form: &Form<'_>) -> String {
        let title = form
            .error
            .map_or("Redeem invitation", |error| words(error).0);
        self.page(title, &form.body())
    }
}

/// The name of the field that proves where a form comes from.
pub(super) const TOKEN: &str = "__RequestVerificationToken";

/// The form in which a visitor redeems a code, with what was typed, and what was wrong with it.
pub(super) struct Form<'a> {
    pub(super) token: &'a str,
    pub(super) code: &'a str,
    pub(super) return_url: &'a str,
    pub(super) username: &'a str,
    pub(super) email: &'a str,
    pub(super) error: Option<RedeemError>,
}

impl Form<'_> {
    fn body(&self) -> String {
        let wrong = |field| match self.error {
            Some(error) if blames(error, field) => {
                " aria-invalid=\"true\" aria-errormessage=\"error\""
            }
            _ => "",
        };
        format!(
            "<h1>Redeem invitation</h1><p class=\"lead\">Choose a user name, check your e-mail address, and the account \
             is yours. Nothing happens before you press the button.</p>{}<form method=\"post\">{}{}\
             <div><label>Invitation code <input name=\"invitation\" value=\"{}\" required autocomplete=\"off\"{}></label></div>\
             <div><label>User name <input name=\"username\" value=\"{}\" autocomplete=\"username\" required{}></label></div>\
             <div><label>E-mail <input name=\"email\" type=\"email\" value=\"{}\" autocomplete=\"email\" required{}></label></div>\
             <button>Register</button></form>",
            self.error.map(alert).unwrap_or_default(),
            hidden(TOKEN, self.token),
            hidden("returnurl", self.return_url),
            quoted(self.code),
            wrong("invitation"),
            quoted(self.username),
            wrong("username"),
            quoted(self.email),
            wrong("email"),
        )
    }
}

fn hidden(name: &str, value: &str) -> String {
    let value = quoted(value);
    format!("<input type=\"hidden\" name=\"{name}\" value=\"{value}\">")
}

fn alert(error: RedeemError) -> String {
    let (what, advice) = words(error);
    format!("<div class=\"error\" id=\"error\" role=\"alert\"><h2>{what}</h2><p>{advice}</p></div>")
}

/// Whether an error is about what stands in a field.
fn blames(error: RedeemError, field: &str) -> bool {
    let of_person = matches!(error, RedeemError::Taken | RedeemError::Incomplete);
    of_person != (field == "invitation")
}

/// What happened, and what the visitor can do about it.
fn words(error: RedeemError) -> (&'static str, &'static str) {
    match error {
        RedeemError::Unknown => (
            "This code is not known here",
            "Open the link in your letter once more, or copy the whole code. If you got several letters, use the newest. \
             An invitation that was withdrawn is not known either.",
        ),
        RedeemError::Ambiguous => (
            "This code belongs to more than one invitation",
            "So nobody can tell which one is yours. Please ask whoever invited you for a new letter.",
        ),
        RedeemError::Expired => (
            "This invitation has expired",
            "Please ask whoever invited you to send it again.",
        ),
        RedeemError::UsedUp => (
            "This invitation has been used already",
            "If that was you, your account is there: sign in with it. If not, please tell whoever invited you.",
        ),
        RedeemError::NoContact => (
            "This invitation is for nobody",
            "It names no person, so nobody can sign up with it. Please ask whoever invited you for a new letter.",
        ),
        RedeemError::Taken => (
            "This user name or e-mail address is taken",
            "Somebody here has it already. Choose another one. If you signed up before, keep the user name that you \
             chose then.",
        ),
        RedeemError::Incomplete => (
            "Something is missing",
            "A user name and an e-mail address are needed, of at most 100 characters each.",
        ),
    }
}
