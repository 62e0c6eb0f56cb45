//! Owns what a template may name: the values of one letter, cleaned of what no line of text should hold.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use minijinja::{Value, context};

use super::{Brand, LetterContent};
use crate::domain::expiry;
use crate::domain::redeem_link::RedeemLink;

/// The longest subject, in UTF-16 units
/// (<https://learn.microsoft.com/office365/servicedescriptions/exchange-online-service-description/exchange-online-limits>).
const MAXIMUM_SUBJECT: usize = 255;

/// Languages that are written from right to left.
const RIGHT_TO_LEFT: [&str; 7] = ["ar", "dv", "fa", "he", "ps", "ur", "yi"];

/// The values that every template of a letter may name; what is absent is none.
pub(super) fn of(content: &LetterContent<'_>) -> Value {
    context! {
        language => content.language,
        direction => direction(content.language),
        brand => brand(content.brand),
        contact_name => line(content.contact_name),
        inviter_name => content.inviter_name.map(line),
        message => content.message.map(text),
        expires => content.expires.map(|expires| moment(expires, content.zone)),
    }
}

/// The link as HTML. Plain escaping would write each slash as a reference, which link scanners stumble over.
pub(super) fn link(link: &RedeemLink) -> Value {
    let escaped = link.expose().replace('&', "&amp;").replace('\'', "&#39;");
    Value::from_safe_string(escaped)
}

/// One line that fits into a subject.
pub(super) fn subject_line(text: &str) -> String {
    let mut units = 0;
    let fits = |character: &char| {
        units += character.len_utf16();
        units <= MAXIMUM_SUBJECT
    };
    line(text).chars().take_while(fits).collect()
}

/// Every run of white space and control characters becomes one space.
fn line(text: &str) -> String {
    let words = text.split(|character: char| character.is_whitespace() || character.is_control());
    words
        .filter(|word| !word.is_empty())
        .collect::<Vec<_>>()
        .join(" ")
}

/// Line breaks of every system become one kind; other control characters go.
fn text(text: &str) -> String {
    let text = text.replace("\r\n", "\n").replace('\r', "\n");
    text.replace(
        |character: char| character.is_control() && character != '\n',
        " ",
    )
}

pub(super) fn direction(language: &str) -> &'static str {
    let primary = language.split('-').next().unwrap_or_default();
    if RIGHT_TO_LEFT.contains(&primary) {
        "rtl"
    } else {
        "ltr"
    }
}

pub(super) fn brand(brand: &Brand) -> Value {
    context! {
        name => line(&brand.name),
        color => brand.color.as_str(),
        text_color => text_color(&brand.color),
        logo_url => brand.logo_url.as_ref().map(ToString::to_string),
        support_email => brand.support_email.as_deref(),
    }
}

/// English comes ready; other languages put the numbers in their own order. Monday is weekday 1.
pub(super) fn moment(expires: Timestamp, zone: &TimeZone) -> Value {
    let moment = expires.to_zoned(zone.clone());
    context! {
        words => expiry::in_words(expires, zone),
        year => moment.year(),
        month => moment.month(),
        day => moment.day(),
        weekday => moment.weekday().to_monday_one_offset(),
        time => moment.strftime("%H:%M").to_string(),
        zone => zone.iana_name().map_or_else(|| moment.strftime("UTC%:z").to_string(), str::to_owned),
    }
}

/// White or near-black, whichever stands out more (WCAG 2.2, relative luminance).
fn text_color(background: &str) -> &'static str {
    let luminance = luminance(background).unwrap_or_default();
    let with_white = 1.05 / (luminance + 0.05);
    let with_black = (luminance + 0.05) / 0.05;
    if with_white >= with_black {
        "#ffffff"
    } else {
        "#111111"
    }
}

fn luminance(color: &str) -> Option<f64> {
    let channel = |at: usize| {
        let value = u8::from_str_radix(color.get(at..at + 2)?, 16).ok()?;
        let share = f64::from(value) / 255.0;
        Some(if share <= 0.04045 {
            share / 12.92
        } else {
            ((share + 0.055) / 1.055).powf(2.4)
        })
    };
    Some(0.2126 * channel(1)? + 0.7152 * channel(3)? + 0.0722 * channel(5)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_subject_is_one_line_that_exchange_takes() {
        assert_eq!(subject_line(" Hello\r\nBcc: \u{0}x\t y "), "Hello Bcc: x y");
        assert_eq!(subject_line(&"a".repeat(300)).len(), 255);
        // A smiley is two units: one that would end beyond the limit is left out whole.
        assert_eq!(subject_line(&"😀".repeat(200)).chars().count(), 127);
    }

    #[test]
    fn a_message_keeps_its_lines_and_nothing_else_unseen() {
        assert_eq!(text("a\r\nb\rc\nd\u{7}\te"), "a\nb\nc\nd  e");
    }

    #[test]
    fn a_button_can_be_read_in_every_colour() {
        for (color, text) in [
            ("#000000", "#ffffff"),
            ("#0f6cbd", "#ffffff"),
            ("#c50f1f", "#ffffff"),
            ("#ffffff", "#111111"),
            ("#ffd800", "#111111"),
            ("#00FF00", "#111111"),
        ] {
            assert_eq!(text_color(color), text, "{color}");
        }
    }

    #[test]
    fn languages_have_a_direction() {
        assert_eq!(
            ["en", "he", "ar-EG", "nb-NO", "arn"].map(direction),
            ["ltr", "rtl", "rtl", "ltr", "ltr"]
        );
    }
}
