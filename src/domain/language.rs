//! Owns languages of the site, and which letter language serves somebody who prefers one of them.
//!
//! The site and the letters name languages apart from each other: `nb-NO` is a language of the site, and its letters
//! may be called `nb`, `no` or anything that `LANGUAGES` maps to it.

mod lcid;

use std::borrow::Cow;

use super::redeem_link::LanguagePath;

/// A language of the site by its code, such as `nb-NO`.
/// <https://learn.microsoft.com/power-pages/configure/enable-multiple-language-support>
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SiteLanguage(Cow<'static, str>);

impl SiteLanguage {
    /// A language by its code; none where the text is blank. Makers may add languages of their own.
    pub fn new(code: &str) -> Option<Self> {
        let code = code.trim();
        (!code.is_empty()).then(|| Self(code.to_owned().into()))
    }

    /// A language by the number that a contact's choice holds; none for a number that no language of a site has.
    pub fn of_lcid(lcid: i64) -> Option<Self> {
        lcid::code(lcid).map(|code| Self(code.into()))
    }

    /// The letter language that serves best; none where all are other languages.
    pub fn served_by<'l>(
        &self,
        languages: impl IntoIterator<Item = (&'l str, Option<&'l LanguagePath>)>,
    ) -> Option<&'l str> {
        let ranked = languages
            .into_iter()
            .filter_map(|(name, path)| Some((self.rank(name, path)?, name)));
        ranked.min().map(|(_, name)| name)
    }

    /// How well a letter language serves, 0 best; none for another language.
    fn rank(&self, name: &str, path: Option<&LanguagePath>) -> Option<u8> {
        let code = &*self.0;
        let related = primary(name) == primary(code);
        if path.is_some_and(|path| path.as_str().eq_ignore_ascii_case(code)) {
            // Several letter languages may lead to the same pages of a site.
            Some(u8::from(!related))
        } else if name.eq_ignore_ascii_case(code) {
            Some(2)
        } else if related && !name.contains('-') {
            Some(3)
        } else {
            (related && reads_alike(name, code)).then_some(4)
        }
    }
}

/// The language without its country. Bokmål is what most people call Norwegian.
fn primary(tag: &str) -> String {
    let primary = tag.split('-').next().unwrap_or_default();
    let primary = primary.to_ascii_lowercase();
    if primary == "no" {
        "nb".to_owned()
    } else {
        primary
    }
}

/// Whoever reads one variety reads the other; not so in Chinese, which has two scripts.
fn reads_alike(one: &str, other: &str) -> bool {
    primary(one) != "zh" || is_traditional(one) == is_traditional(other)
}

fn is_traditional(chinese: &str) -> bool {
    let mut subtags = chinese.split('-').skip(1);
    let traditional = ["Hant", "TW", "HK", "MO"];
    subtags.any(|subtag| traditional.iter().any(|it| subtag.eq_ignore_ascii_case(it)))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Which of the languages, written as in `LANGUAGES`, serves a preference.
    fn served(languages: &str, preferred: &str) -> String {
        let parse = |entry: &str| {
            let (name, path) = entry.split_once('=').unzip();
            let path = path.map(|path| LanguagePath::parse(path).unwrap());
            (name.unwrap_or(entry).to_owned(), path)
        };
        let languages: Vec<_> = languages.split(',').map(parse).collect();
        let languages = languages
            .iter()
            .map(|(name, path)| (name.as_str(), path.as_ref()));
        let preferred = SiteLanguage::new(preferred).unwrap();
        preferred
            .served_by(languages)
            .unwrap_or("nothing")
            .to_owned()
    }

    #[test]
    fn the_nearest_letter_language_serves() {
        for (languages, preferred, serves) in [
            // The site's path, whatever the letters are called and in whatever case.
            ("en,norsk=nb-NO,nb", "nb-NO", "norsk"),
            ("en,nb=NB-no", "nb-NO", "nb"),
            ("da=en-US,en=en-US", "en-US", "en"),
            ("da=en-US,sv=en-US", "en-US", "da"),
            // The name.
            ("en,nb,nb-NO", "nb-NO", "nb-NO"),
            ("pt,PT-br", "pt-BR", "PT-br"),
            // The language without its country.
            ("en,nb-SJ,nb", "nb-NO", "nb"),
            ("en,no", "nb-NO", "no"),
            ("en,nb", "no-NO", "nb"),
            ("en,nb=nb-SJ", "nb-NO", "nb"),
            ("sr,en", "sr-Cyrl-CS", "sr"),
            // Another country's.
            ("da,en-GB", "en-US", "en-GB"),
            ("en-GB,en-AU", "en-US", "en-AU"),
            ("en,pt-PT", "pt-BR", "pt-PT"),
            ("en,no-NO", "nb-SJ", "no-NO"),
            // Chinese is written in two scripts.
            ("en,zh-CN", "zh-TW", "nothing"),
            ("en,zh-TW", "zh-CN", "nothing"),
            ("en,zh-CN,zh-TW", "zh-HK", "zh-TW"),
            ("en,zh-Hant", "zh-HK", "zh-Hant"),
            ("en,zh", "zh-TW", "zh"),
            // Another language, however alike.
            ("en,da,nn", "nb-NO", "nothing"),
            ("en,es", "est", "nothing"),
            ("en", "e", "nothing"),
        ] {
            assert_eq!(
                served(languages, preferred),
                serves,
                "{preferred} of {languages}"
            );
        }
    }

    #[test]
    fn the_order_of_the_languages_does_not_matter() {
        for languages in ["en-GB,nb,no=nb-NO,en", "no=nb-NO,en,en-GB,nb"] {
            assert_eq!(served(languages, "nb-NO"), "no");
            assert_eq!(served(languages, "en-AU"), "en");
        }
    }

    #[test]
    fn a_blank_code_is_no_language() {
        assert_eq!(SiteLanguage::new(" "), None);
        assert_eq!(SiteLanguage::new(" cy-GB "), SiteLanguage::new("cy-GB"));
    }
}
