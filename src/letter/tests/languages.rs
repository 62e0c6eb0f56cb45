//! Tests of the packaged languages: each has every letter, in its own words and by its own rules of writing.

use super::*;
use crate::letter::digest;

const LANGUAGES: [&str; 8] = ["ar", "da", "de", "en", "es", "fr", "nb", "sv"];
const TEMPLATES: [&str; 3] = ["invitation", "reminder", "resend"];

/// What every value is in these tests, so that words can be told from values.
const VALUE: &str = "Sample";

fn packaged_sources() -> BTreeMap<String, String> {
    Letters::read(Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/templates"))).unwrap()
}

/// Everything that the letters of a language say, with each value and without: lines of text, free of markup.
fn words(language: &str) -> BTreeSet<String> {
    let (plain, link, zone) = (plain_brand(), link(), oslo());
    let helpful = Brand {
        support_email: Some(VALUE.to_owned()),
        ..plain.clone()
    };
    let mut letters = vec![digest(language, &digest::sample())];
    letters.push(digest(language, &DigestContent::default()));
    for template in TEMPLATES {
        let full = LetterContent {
            language,
            template,
            contact_name: VALUE,
            inviter_name: Some(VALUE),
            message: Some(VALUE),
            replaces: true,
            ..content(&helpful, &link, &zone)
        };
        let bare = LetterContent {
            brand: &plain,
            contact_name: "",
            inviter_name: None,
            message: None,
            replaces: false,
            expires: None,
            ..full
        };
        letters.extend([full, bare].map(|content| packaged().render(&content).unwrap()));
    }
    letters.iter().flat_map(lines).collect()
}

fn digest(language: &str, content: &DigestContent) -> Letter {
    let zone = oslo();
    let time = (Timestamp::UNIX_EPOCH, Timestamp::UNIX_EPOCH, &zone);
    let letter = packaged().render_digest(language, &plain_brand(), content, time);
    letter.unwrap()
}

fn lines(letter: &Letter) -> Vec<String> {
    let (_, body) = letter.html.split_once("<body").unwrap();
    let texts = body.split('<').filter_map(|piece| piece.split_once('>'));
    let texts = texts.map(|(_, text)| text.trim()).chain([&*letter.subject]);
    texts
        .filter(|text| !text.is_empty())
        .map(str::to_owned)
        .collect()
}

/// The sentences among lines of text that hold at least two words of their own.
fn sentences(lines: &BTreeSet<String>) -> BTreeSet<&str> {
    let sentences = lines.iter().flat_map(|line| line.split(['.', ':', '?']));
    sentences
        .map(str::trim)
        .filter(|sentence| own_words(sentence) > 1)
        .collect()
}

fn own_words(sentence: &str) -> usize {
    let is_own = |word: &&str| word.contains(char::is_alphabetic) && !word.contains(VALUE);
    sentence.split_whitespace().filter(is_own).count()
}

#[test]
fn every_language_has_all_four_letters() {
    let letters = packaged();
    assert_eq!(letters.languages().collect::<Vec<_>>(), LANGUAGES);
    for language in LANGUAGES {
        for template in TEMPLATES {
            assert!(letters.has(language, template), "{language}/{template}");
        }
        assert_eq!(letters.digest_language(language), Some(language));
    }
}

#[test]
fn no_language_says_anything_in_the_words_of_english() {
    let english = words("en");
    let english = sentences(&english);
    assert!(english.len() > 50, "{english:#?}");
    for language in LANGUAGES.into_iter().filter(|language| *language != "en") {
        let own = words(language);
        let own = sentences(&own);
        let forgotten: Vec<_> = own.intersection(&english).collect();
        assert!(forgotten.is_empty(), "{language}: {forgotten:#?}");
    }
}

#[test]
fn every_language_but_english_says_whether_a_native_speaker_has_read_it() {
    let sources = packaged_sources();
    for language in LANGUAGES.into_iter().filter(|language| *language != "en") {
        let head = sources[&format!("{language}/invitation.html")].split("-#}");
        let head = head.map(str::to_owned).next().unwrap();
        assert!(
            head.starts_with("{#-") && head.contains("native speaker"),
            "{language}"
        );
    }
}

/// Without it a name in Latin letters would pull the punctuation beside it to its own side.
#[test]
fn every_name_in_an_arabic_sentence_keeps_its_own_direction() {
    let arabic = packaged_sources().into_iter();
    for (file, source) in arabic.filter(|(file, _)| file.starts_with("ar/") && file.ends_with(HTML))
    {
        for name in ["brand.name", "contact_name", "inviter_name", "site"] {
            let printed = format!("{{{{ {name} }}}}");
            let alone = source.replace(&format!("<bdi>{printed}</bdi>"), "");
            assert!(!alone.contains(&printed), "{file}: {name}");
        }
    }
}

#[test]
fn french_never_parts_punctuation_from_its_word() {
    for line in words("fr") {
        for mark in [" :", " ;", " ?", " !", "« ", " »"] {
            // Mail programs never break a subject, so any space will do in it.
            let is_subject = line.contains(" – ");
            assert!(is_subject || !line.contains(mark), "{line}");
        }
        assert!(!line.contains('\''), "{line}");
    }
}
