//! Owns FetchXML that others wrote: what of it is accepted, and how the request for a page is made of it.
//!
//! Only attributes of `<fetch>` are ever added; every other character stays as it came. A document type is refused,
//! so that no entity can hide a name.
//! <https://learn.microsoft.com/power-apps/developer/data-platform/fetchxml/page-results>

use std::fmt::Write;

use percent_encoding::percent_decode_str;
use roxmltree::{Document, Node};

use super::sources::{GUARDED, PAGE_SIZE};

/// Why FetchXML is not accepted; the text reads after the name of a field.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum FetchXmlError {
    /// No XML, or XML with a document type.
    #[error("is not well-formed XML: {0}")]
    Malformed(String),
    /// Some other XML.
    #[error("must be one <fetch> with one <entity>")]
    NotFetch,
    /// Rows of another table.
    #[error("must ask for rows of contact")]
    OtherTable,
    /// A column that holds secrets.
    #[error("must not name columns that begin with {GUARDED}")]
    Guarded,
    /// Rows that are no contacts.
    #[error("must not have aggregate or distinct; a contact that comes twice is invited once")]
    Grouped,
    /// A page of the rows, where all of them are wanted.
    #[error("must not have page, count or paging-cookie: every page is read; top limits the rows")]
    Paged,
}

/// FetchXML that asks for contacts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct FetchXml {
    text: String,
    /// Where attributes of `<fetch>` can be added, in bytes.
    gap: usize,
    /// Whether `<fetch>` says itself how many rows there are.
    limited: bool,
}

impl FetchXml {
    /// Accepts what a caller wrote.
    pub(super) fn parse(text: &str) -> Result<Self, FetchXmlError> {
        let document = read(text)?;
        let fetch = document.root_element();
        check_table(fetch)?;
        let is = |name| matches!(fetch.attribute(name), Some("true" | "1"));
        if is("aggregate") || is("distinct") {
            return Err(FetchXmlError::Grouped);
        }
        let mut paging = ["page", "count", "paging-cookie"].into_iter();
        if paging.any(|name| fetch.has_attribute(name)) {
            return Err(FetchXmlError::Paged);
        }
        Ok(Self {
            text: text.to_owned(),
            gap: end_of_name(text, fetch),
            limited: fetch.has_attribute("top"),
        })
    }

    /// The request for the first page, or for everything where `top` limits the rows: that excludes paging.
    pub(super) fn first_page(&self) -> String {
        self.page(1, None).unwrap_or_else(|| self.text.clone())
    }

    /// The request for a page, counted from 1, with the cookie of the page before where that had one; `None` where
    /// `top` allows no pages.
    pub(super) fn page(&self, number: usize, cookie: Option<&str>) -> Option<String> {
        if self.limited {
            return None;
        }
        let mut attributes = format!(" page=\"{number}\" count=\"{PAGE_SIZE}\"");
        if let Some(cookie) = cookie {
            // Writing to a String cannot fail.
            let _ = write!(attributes, " paging-cookie=\"{}\"", escape(cookie));
        }
        let mut page = self.text.clone();
        page.insert_str(self.gap, &attributes);
        Some(page)
    }
}

/// Refuses FetchXML, such as a view's, that names a guarded column.
pub(super) fn check_columns(text: &str) -> Result<(), FetchXmlError> {
    read(text).map(drop)
}

/// The parser reads character references, so that a name is seen as Dataverse sees it.
fn read(text: &str) -> Result<Document<'_>, FetchXmlError> {
    let document =
        Document::parse(text).map_err(|error| FetchXmlError::Malformed(error.to_string()))?;
    let mut attributes = document
        .descendants()
        .flat_map(|node| node.attributes().collect::<Vec<_>>());
    if attributes.any(|attribute| names_guarded(attribute.value())) {
        return Err(FetchXmlError::Guarded);
    }
    Ok(document)
}

/// Whether a text names a guarded column, in any case.
pub(super) fn names_guarded(text: &str) -> bool {
    text.to_lowercase().contains(GUARDED)
}

fn check_table(fetch: Node<'_, '_>) -> Result<(), FetchXmlError> {
    let mut elements = fetch.children().filter(Node::is_element);
    let (Some(entity), None) = (elements.next(), elements.next()) else {
        return Err(FetchXmlError::NotFetch);
    };
    if !fetch.has_tag_name("fetch") || !entity.has_tag_name("entity") {
        return Err(FetchXmlError::NotFetch);
    }
    match entity.attribute("name") {
        Some("contact") => Ok(()),
        _ => Err(FetchXmlError::OtherTable),
    }
}

/// Where the name of an element ends in the text: behind it stands a space, a slash or the closing bracket.
fn end_of_name(text: &str, element: Node<'_, '_>) -> usize {
    let start = element.range().start;
    let is_end = |character: char| character.is_whitespace() || matches!(character, '/' | '>');
    let length = text[start..].find(is_end).unwrap_or_default();
    start + length
}

fn escape(value: &str) -> String {
    let mut escaped = String::with_capacity(value.len());
    for character in value.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            // An XML reader would turn these into spaces.
            '\t' | '\n' | '\r' => {
                let _ = write!(escaped, "&#{};", u32::from(character));
            }
            _ => escaped.push(character),
        }
    }
    escaped
}

/// The cookie to ask for the next page with, out of the annotation of a page: an attribute of an element, and
/// percent-encoded twice.
pub(super) fn cookie(annotation: &str) -> Option<String> {
    let document = Document::parse(annotation).ok()?;
    let twice = document.root_element().attribute("pagingcookie")?;
    let once = percent_decode_str(twice).decode_utf8().ok()?;
    let cookie = percent_decode_str(&once).decode_utf8().ok()?;
    Some(cookie.into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// FetchXML as people write it, with whatever may stand around and inside.
    fn fetch() -> impl Strategy<Value = String> {
        let space = "[ \n\t]{1,3}";
        let head = prop_oneof![
            Just(""),
            Just("<?xml version=\"1.0\"?>"),
            Just("<!-- <fetch> -->")
        ];
        let attributes = prop_oneof![
            Just(""),
            Just("version='1.0'"),
            Just("no-lock=\"true\""),
            Just("note='a>b &#47; &lt;fetch'"),
        ];
        (head, space, attributes, "[ -%'-;=?-~\u{a1}-\u{17f}]{0,20}").prop_map(
            |(head, space, attributes, value)| {
                let value = value.replace('"', "&quot;");
                format!(
                    "{head}<fetch{space}{attributes}{space}><entity name='contact'>\
                     <filter><condition attribute='lastname' operator='eq' value=\"{value}\"/></filter>\
                     </entity></fetch>"
                )
            },
        )
    }

    proptest! {
        #[test]
        fn a_page_differs_by_its_attributes_and_nothing_else(
            text in fetch(), number in 1_usize..100, cookie in proptest::option::of("\\PC{0,40}|[\t\n\r&<>\"']{0,9}"),
        ) {
            let page = FetchXml::parse(&text).unwrap().page(number, cookie.as_deref()).unwrap();
            let document = Document::parse(&page).unwrap();
            let root = document.root_element();
            let number = number.to_string();
            prop_assert_eq!(root.attribute("page"), Some(number.as_str()));
            prop_assert_eq!(root.attribute("count"), Some("5000"));
            prop_assert_eq!(root.attribute("paging-cookie"), cookie.as_deref());
            let mut without = page.clone();
            let added = ["paging-cookie", "count", "page"].map(|name| root.attribute_node(name));
            for attribute in added.into_iter().flatten() {
                let range = attribute.range();
                without.replace_range(range.start - 1..range.end, "");
            }
            prop_assert_eq!(without, text);
        }

        #[test]
        fn no_text_makes_it_panic(text in "\\PC{0,200}", inside in "[<>/&;'\" a-z=!?\\[\\]-]{0,200}") {
            for text in [&text, &inside, &format!("<fetch><entity name='contact'>{inside}</entity></fetch>")] {
                if let Ok(fetch) = FetchXml::parse(text) {
                    let _ = fetch.page(2, Some(&inside));
                }
                let _ = cookie(text);
            }
        }

        #[test]
        fn a_guarded_name_is_seen_however_it_is_written(
            spelling in proptest::collection::vec((any::<bool>(), 0_usize..3), GUARDED.len()),
            place in 0_usize..4,
        ) {
            let mut name = String::new();
            for (character, (upper, form)) in GUARDED.chars().zip(spelling) {
                let character = if upper { character.to_ascii_uppercase() } else { character };
                let code = u32::from(character);
                match form {
                    0 => name.push(character),
                    1 => write!(name, "&#{code};").unwrap(),
                    _ => write!(name, "&#x{code:x};").unwrap(),
                }
            }
            let inside = [
                format!("<attribute name='{name}passwordhash'/>"),
                format!("<order attribute='{name}passwordhash'/>"),
                format!("<filter><condition attribute='lastname' operator='eq' valueof='{name}x'/></filter>"),
                format!("<link-entity name='contact' from='{name}x' to='contactid'/>"),
            ];
            let text = format!("<fetch><entity name='contact'>{}</entity></fetch>", inside[place]);
            prop_assert_eq!(FetchXml::parse(&text), Err(FetchXmlError::Guarded));
            prop_assert_eq!(check_columns(&text), Err(FetchXmlError::Guarded));
        }
    }

    #[test]
    fn entities_of_its_own_and_deep_nesting_do_no_harm() {
        let entity = "<!DOCTYPE f [<!ENTITY a 'adx_identity_'>]><fetch><entity name='contact'><order attribute='&a;x'/></entity></fetch>";
        assert!(matches!(
            FetchXml::parse(entity),
            Err(FetchXmlError::Malformed(_))
        ));
        let deep = format!(
            "<fetch><entity name='contact'>{}{}</entity></fetch>",
            "<filter>".repeat(7_000),
            "</filter>".repeat(7_000)
        );
        assert!(FetchXml::parse(&deep).is_ok());
    }

    #[test]
    fn a_cookie_is_decoded_twice() {
        let annotation = "<cookie pagenumber=\"2\" pagingcookie=\"%253ccookie%2520page%253d%25221%2522%253e%253clastname%2520last%253d%2522R%2526amp%253bD%2522%2520%252f%253e%253c%252fcookie%253e\" istracking=\"False\" />";
        assert_eq!(
            cookie(annotation).unwrap(),
            "<cookie page=\"1\"><lastname last=\"R&amp;D\" /></cookie>"
        );
        assert_eq!(cookie("<cookie pagenumber=\"2\"/>"), None);
        assert_eq!(cookie("no xml"), None);
    }
}
