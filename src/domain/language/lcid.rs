//! Owns the numbers of languages: which code a site has for the language that a contact chose by its number.
//!
//! <https://learn.microsoft.com/power-pages/configure/enable-multiple-language-support> lists the languages of sites;
//! Arabic and Hebrew are among the choices of the column too.
//! <https://learn.microsoft.com/power-apps/maker/portals/configure/enable-multiple-language-support>

/// The code of a language of sites, such as `en-US` for 1033.
pub(super) fn code(lcid: i64) -> Option<&'static str> {
    let place = CODES.binary_search_by_key(&lcid, |(number, _)| *number);
    place.ok().map(|place| CODES[place].1)
}

/// In the order of the numbers.
const CODES: [(i64, &str); 45] = [
    (1025, "ar-SA"),
    (1026, "bg-BG"),
    (1027, "ca-ES"),
    (1028, "zh-TW"),
    (1029, "cs-CZ"),
    (1030, "da-DK"),
    (1031, "de-DE"),
    (1032, "el-GR"),
    (1033, "en-US"),
    (1035, "fi-FI"),
    (1036, "fr-FR"),
    (1037, "he-IL"),
    (1038, "hu-HU"),
    (1040, "it-IT"),
    (1041, "ja-JP"),
    (1042, "ko-KR"),
    (1043, "nl-NL"),
    (1044, "nb-NO"),
    (1045, "pl-PL"),
    (1046, "pt-BR"),
    (1048, "ro-RO"),
    (1049, "ru-RU"),
    (1050, "hr-HR"),
    (1051, "sk-SK"),
    (1053, "sv-SE"),
    (1054, "th-TH"),
    (1055, "tr-TR"),
    (1057, "id-ID"),
    (1058, "uk-UA"),
    (1060, "sl-SI"),
    (1061, "et-EE"),
    (1062, "lv-LV"),
    (1063, "lt-LT"),
    (1066, "vi-VN"),
    (1069, "eu-ES"),
    (1081, "hi-IN"),
    (1086, "ms-MY"),
    (1087, "kk-KZ"),
    (1110, "gl-ES"),
    (2052, "zh-CN"),
    (2070, "pt-PT"),
    (2074, "sr-Latn-CS"),
    (3076, "zh-HK"),
    (3082, "es-ES"),
    (3098, "sr-Cyrl-CS"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_language_is_found_by_its_number() {
        for (number, expected) in CODES {
            assert_eq!(code(number), Some(expected));
        }
        assert_eq!(code(1044), Some("nb-NO"));
        assert_eq!(code(1034), None, "Spanish in the traditional order is 3082");
        assert_eq!(code(-1), None);
    }
}
