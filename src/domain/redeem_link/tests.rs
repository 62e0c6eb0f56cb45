//! Tests of the site's address and the redeem link, and of reading a code back from a letter.

use proptest::prelude::*;

use super::*;

fn portal(text: &str) -> PortalUrl {
    PortalUrl::parse(text).unwrap()
}

fn code(text: &str) -> InvitationCode {
    InvitationCode::parse(text).unwrap()
}

fn read(html: &str) -> Option<String> {
    let code = RedeemLink::code_in(html, &portal("https://portal.example/site"));
    code.map(|code| code.expose().to_owned())
}

#[test]
fn a_site_is_https_or_on_loopback() {
    for (text, shown) in [
        ("https://Portal.example", "https://portal.example"),
        (
            "https://portal.example:8443/a/b//",
            "https://portal.example:8443/a/b",
        ),
        ("http://localhost:9000/", "http://localhost:9000"),
        ("http://127.9.0.1", "http://127.9.0.1"),
        ("http://[::1]:80/x", "http://[::1]/x"),
    ] {
        assert_eq!(portal(text).to_string(), shown);
    }
    for (text, error) in [
        ("", RedeemLinkError::NotAbsolute),
        ("portal.example", RedeemLinkError::NotAbsolute),
        ("mailto:a@portal.example", RedeemLinkError::NotAbsolute),
        ("http://portal.example", RedeemLinkError::NotSecure),
        ("http://localhost.example", RedeemLinkError::NotSecure),
        ("ftp://localhost", RedeemLinkError::NotSecure),
        ("https://u@portal.example", RedeemLinkError::NotBare),
        ("https://:p@portal.example", RedeemLinkError::NotBare),
        ("https://portal.example/?", RedeemLinkError::NotBare),
        ("https://portal.example/#x", RedeemLinkError::NotBare),
    ] {
        assert_eq!(PortalUrl::parse(text), Err(error), "{text}");
    }
}

#[test]
fn a_return_path_stays_on_the_site() {
    for text in ["/", "/a b?x=1&y=2#z", "/@x", "/å"] {
        assert_eq!(ReturnPath::parse(text).unwrap().as_str(), text);
    }
    for text in [
        "",
        "a",
        " /",
        "//evil.example",
        "/a//b",
        "/\\evil.example",
        "/a\\b",
        "https://evil.example",
        "/a\n",
        "/\t/evil.example",
    ] {
        assert_eq!(
            ReturnPath::parse(text),
            Err(RedeemLinkError::NotOnSite),
            "{text:?}"
        );
    }
    assert!(ReturnPath::parse(&format!("/{}", "å".repeat(999))).is_ok());
    assert_eq!(
        ReturnPath::parse(&format!("/{}", "a".repeat(1_000))),
        Err(RedeemLinkError::TooLong)
    );
}

#[test]
fn a_language_path_is_one_plain_segment() {
    for text in ["en", "en-US", "zh-Hans-CN"] {
        assert_eq!(LanguagePath::parse(text).unwrap().as_str(), text);
    }
    for text in ["", "en/US", "en_US", "..", "-en", "1", "é", &"a".repeat(36)] {
        assert_eq!(
            LanguagePath::parse(text),
            Err(RedeemLinkError::NotLanguage),
            "{text}"
        );
    }
}

#[test]
fn a_link_is_written_as_the_portal_reads_it() {
    let site = portal("https://portal.example/site/");
    let language = LanguagePath::parse("da-DK").unwrap();
    let path = ReturnPath::parse("/a b/?x=1&y=å").unwrap();
    let link = |language, text, path| {
        RedeemLink::new(&site, language, &code(text), path)
            .expose()
            .to_owned()
    };
    assert_eq!(
        link(None, "Ab-_9", None),
        "https://portal.example/site/register?invitation=Ab-_9"
    );
    assert_eq!(
        link(Some(&language), "a+b/c=&d e", Some(&path)),
        "https://portal.example/site/da-DK/register?invitation=a%2Bb%2Fc%3D%26d%20e&returnurl=/a%20b/%3Fx%3D1%26y%3D%C3%A5",
    );
}

#[test]
fn a_code_is_read_from_a_letter_however_it_was_rewritten() {
    let url = "https://portal.example/site/en-US/register?invitation=a-1&amp;returnurl=/x";
    for html in [
        format!("<p><a href=\"{url}\">x</a>"),
        format!("<P><A\n  STYLE='x'\n HREF = '{url}' >x</A>"),
        format!("<a href={url}>x</a>"),
        format!("<a href=\" \n{url}\n \">x</a>"),
        format!(
            "<a href=\"{}\">x</a>",
            url.replace("/site/", "/site\n/").replace("&amp;", "&")
        ),
        format!(
            "<a href=\"{}\">x</a>",
            url.replace('/', "&#x2f;").replace('=', "&#61;")
        ),
        format!(
            "<a href=\"{}\">x</a>",
            url.replace("https://portal.example", "HTTPS://PORTAL.example:443")
                .replace("register", "Register")
        ),
        format!(
            "<a href=\"mailto:x@portal.example\">x</a><a href=\"{url}\">x</a><a href=\"{url}\">{url}</a>"
        ),
    ] {
        assert_eq!(read(&html).as_deref(), Some("a-1"), "{html}");
    }
}

#[test]
fn nothing_but_a_redeem_link_of_the_site_gives_a_code() {
    let anchor = |url: &str| format!("<a href=\"{url}\">x</a>");
    for html in [
        String::new(),
        "https://portal.example/site/register?invitation=a".to_owned(),
        "<!-- <a href='https://portal.example/site/register?invitation=a'> -->".to_owned(),
        "<link href='https://portal.example/site/register?invitation=a'>".to_owned(),
        "<title><a href='https://portal.example/site/register?invitation=a'></title>".to_owned(),
        "<a title=\"href='https://portal.example/site/register?invitation=a'\">".to_owned(),
        anchor("http://portal.example/site/register?invitation=a"),
        anchor("https://portal.example.evil/site/register?invitation=a"),
        anchor("https://portal.example/register?invitation=a"),
        anchor("https://portal.example/sitex/register?invitation=a"),
        anchor("https://portal.example/site/a/b/register?invitation=a"),
        anchor("https://portal.example/site/registers?invitation=a"),
        anchor("https://portal.example/site/register?invitationCode=a"),
        anchor("https://portal.example/site/register?invitation="),
        anchor("https://portal.example/site/register?invitation=a&amp;invitation=b"),
        anchor("https://portal.example/site/register?invitation=a")
            + &anchor("https://portal.example/site/register?invitation=b"),
    ] {
        assert_eq!(read(&html), None, "{html}");
    }
}

/// A stack of two mebibytes, as tests and workers have it, is enough for any letter.
#[test]
fn a_letter_of_any_shape_is_read() {
    let link = "<a href=\"https://portal.example/site/register?invitation=a-1\">x</a>";
    let many = "href=\"x\" ".repeat(3_000);
    let html = format!("{}<a {many}>{link}", "<b>".repeat(100_000));
    assert_eq!(read(&html).as_deref(), Some("a-1"));
}

proptest! {
    #[test]
    fn every_code_comes_back_from_the_letter(
        text in "[ -~]{1,200}|\\PC{1,60}", path in "/[^/\\\\\\pC][^/\\\\\\pC]{0,80}", lang in "[a-z]{2}-[A-Z]{2}", before in "\\PC{0,40}",
    ) {
        let Ok(code) = InvitationCode::parse(&text) else { return Ok(()) };
        let site = portal("https://portal.example/it's");
        let (path, language) = (ReturnPath::parse(&path).unwrap(), LanguagePath::parse(&lang).unwrap());
        let link = RedeemLink::new(&site, Some(&language), &code, Some(&path));
        let escape = |text: &str| text.replace('&', "&amp;").replace('"', "&quot;").replace('<', "&lt;");
        let html = format!("<p>{}<a class=x href=\"{}\">go</a>", escape(&before), escape(link.expose()));
        prop_assert!(link.stands_in(&html));
        prop_assert!(RedeemLink::code_in(&html, &site).unwrap().same_as(&code));
        let url = Url::parse(link.expose()).unwrap();
        let returned = url.query_pairs().find(|(name, _)| name == "returnurl").unwrap();
        prop_assert_eq!(&*returned.1, path.as_str());
        prop_assert_eq!(format!("{link:?}"), "RedeemLink([redacted])");
    }
}
