//! Owns what a template may name: the values of one letter, cleaned of what no line of text should hold.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use minijinja::{Value, context};

use super::color::Color;
use super::{Brand, LetterContent, moment as written};

/// The longest subject, in UTF-16 units
/// (<https://learn.microsoft.com/office365/servicedescriptions/exchange-online-service-description/exchange-online-limits>).
const MAXIMUM_SUBJECT: usize = 255;

/// Languages that are written from right to left.
const RIGHT_TO_LEFT: [&str; 7] = ["ar", "dv", "fa", "he", "ps", "ur", "yi"];

/// The values that every template of a letter may name; what is absent is none.
pub(super) fn of(content: &LetterContent<'_>) -> Value {
    let (start, end) = sides(content.language);
    context! {
        language => content.language,
        direction => direction(content.language),
        start => start,
        end => end,
        site => content.link.host(),
        brand => brand(content.brand),
        contact_name => line(content.contact_name),
        inviter_name => content.inviter_name.map(line),
        message => content.message.map(text),
        replaces => content.replaces,
        expires => content.expires.map(|expires| moment(expires, content.zone, content.language)),
    }
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
pub fn line(text: &str) -> String {
    let words = text.split(|character: char| character.is_whitespace() || is_unwanted(character));
    words
        .filter(|word| !word.is_empty())
        .collect::<Vec<_>>()
        .join(" ")
}

/// Line breaks of every system become one kind; other control characters go.
fn text(text: &str) -> String {
    let text = text.replace("\r\n", "\n").replace('\r', "\n");
    text.replace(
        |character: char| is_unwanted(character) && character != '\n',
        " ",
    )
}

/// Control characters, and those that turn the direction of all text after them: nobody's name needs them.
fn is_unwanted(character: char) -> bool {
    character.is_control() || matches!(character, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

pub(super) fn direction(language: &str) -> &'static str {
    let primary = language.split('-').next().unwrap_or_default();
    if RIGHT_TO_LEFT.contains(&primary) {
        "rtl"
    } else {
        "ltr"
    }
}

/// Of the grounds that `layout.html` has, those on which colours stand out least: by day, and in the dark.
const GROUND: Color = Color::new(0xf4_f4_f5);
const DARK_GROUND: Color = Color::new(0x1f_1f_21);

/// The sides on which a line begins and ends.
pub(super) fn sides(language: &str) -> (&'static str, &'static str) {
    match direction(language) {
        "rtl" => ("right", "left"),
        _ => ("left", "right"),
    }
}

pub(super) fn brand(brand: &Brand) -> Value {
    let name = line(&brand.name);
    let color = Color::parse(&brand.color).unwrap_or(Color::BLACK);
    context! {
        initial => name.chars().find(|character| character.is_alphanumeric()).map(capital),
        name => name,
        color => color.hex(),
        text_color => color.text_on().hex(),
        edge_color => color.as_edge_on(GROUND).hex(),
        dark_edge_color => color.as_edge_on(DARK_GROUND).hex(),
        link_color => color.as_text_on(GROUND).hex(),
        dark_link_color => color.as_text_on(DARK_GROUND).hex(),
        logo_url => brand.logo_url.as_ref().map(ToString::to_string),
        support_email => brand.support_email.as_deref(),
    }
}

fn capital(character: char) -> String {
    character.to_uppercase().collect()
}

/// A moment in words, and its parts for languages that want to say it otherwise. Monday is weekday 1.
pub(super) fn moment(moment: Timestamp, zone: &TimeZone, language: &str) -> Value {
    let moment = moment.to_zoned(zone.clone());
    context! {
        words => written::in_words(&moment, language),
        year => moment.year(),
        month => moment.month(),
        day => moment.day(),
        weekday => moment.weekday().to_monday_one_offset(),
        time => moment.strftime("%H:%M").to_string(),
        zone => written::zone(&moment),
    }
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
    fn languages_have_a_direction() {
        assert_eq!(
            ["en", "he", "ar-EG", "nb-NO", "arn"].map(direction),
            ["ltr", "rtl", "rtl", "ltr", "ltr"]
        );
    }
}
