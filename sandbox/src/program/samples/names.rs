//! Names that people have, by the language that they prefer, as the number that Dataverse knows it by.
//! <https://learn.microsoft.com/power-pages/configure/enable-multiple-language-support>

/// A language, and first and last names of people who speak it.
#[derive(Debug)]
pub(super) struct Language {
    /// What a contact holds in `mspp_userpreferredlcid`.
    pub(super) lcid: i64,
    first: &'static str,
    last: &'static str,
}

impl Language {
    /// A name by chance, first and last.
    pub(super) fn name(&self, chance: &mut fastrand::Rng) -> [String; 2] {
        [self.first, self.last].map(|names| {
            let drawn = chance.choice(names.split(' ').collect::<Vec<_>>());
            let drawn = drawn.unwrap_or_default();
            drawn.replace('_', " ")
        })
    }
}

/// How many of [`LANGUAGES`], from the first on, have letters in the package; they are drawn more often.
pub(super) const WITH_LETTERS: usize = 8;

/// Every language that people are drawn from.
pub(super) const LANGUAGES: [Language; 20] = [
    of(
        1033,
        "Grace Oliver Amelia Noah Priya Kwame Zoe Marcus Harriet Dylan",
        "Baker O'Neill Hughes Mensah Patel MacLeod Turner Fitzgerald Cole Achebe",
    ),
    of(
        1044,
        "Ingrid Bjørn Sølvi Håkon Åse Lars Turid Øyvind Marit Even",
        "Solberg Dahl Ødegård Brekke Nygård Lie Sæther Hauge Moen Aas",
    ),
    of(
        1031,
        "Jonas Greta Jürgen Lea Käthe Björn Anneliese Moritz Sönke Ute",
        "Weber Schäfer Müller Groß Köhler Vogt Lindner Jäger Böhm Strauß",
    ),
    of(
        3082,
        "Diego Lucía Íñigo Carmen Begoña Raúl Nuria Andrés Sofía Joaquín",
        "Sánchez Muñoz Peña Ibáñez Castro Núñez Vega Domínguez Rojas Güell",
    ),
    of(
        1036,
        "Chloé Hélène François Maël Zoé Benoît Inès Jérôme Maëlle Loïc",
        "Lefèvre Garçon Dubois Noël Bertrand Crépin Fournier Hélias Moreau Roux",
    ),
    of(
        1030,
        "Mads Søren Signe Jørgen Freja Niels Kirsten Asbjørn Ida Troels",
        "Kjær Østergaard Højgaard Mørk Lund Nørby Bech Ågesen Holm Friis",
    ),
    of(
        1053,
        "Elin Örjan Åsa Göran Maja Sixten Malin Björn Ebba Lennart",
        "Åkesson Sjöberg Lindqvist Öberg Nyström Ek Wallén Hägg Norén Ståhl",
    ),
    of(
        1025,
        "ليلى محمد فاطمة يوسف مريم عمر نور خالد سلمى حسن",
        "حداد النجار الخطيب سلامة منصور العلي بركات درويش قاسم عباس",
    ),
    of(
        1040,
        "Chiara Matteo Niccolò Giulia Elisabetta Tommaso Noemi Dario",
        "Ricci Colombo D'Angelo Forlì Moretti Bianchi Caffè Serra",
    ),
    of(
        1043,
        "Daan Sanne Joost Marijke Ruben Femke",
        "de_Vries van_den_Berg IJsselstein Bakker Coppens Visser",
    ),
    of(
        1045,
        "Łukasz Małgorzata Paweł Agnieszka Świętosława Michał",
        "Wójcik Żurawski Dąbrowska Król Nowicki Błaszczyk",
    ),
    of(
        1035,
        "Aino Väinö Päivi Jukka Tuulikki Eero",
        "Mäkinen Hämäläinen Korhonen Järvi Räsänen Niemi",
    ),
    of(
        1038,
        "Eszter Gábor Zsófia Ödön Katalin Béla",
        "Nagy Kovács Szőke Tóth Fűzfa Horváth",
    ),
    of(
        1041,
        "花子 太郎 美咲 健 由紀 翔太",
        "田中 山田 佐藤 鈴木 森 高橋",
    ),
    of(
        1058,
        "Оксана Тарас Ярина Богдан Леся Остап",
        "Шевченко Коваль Їжак Мельник Бондар Гнатюк",
    ),
    of(
        1032,
        "Ελένη Γιώργος Μαρία Νίκος Δήμητρα Άρης",
        "Παπαδοπούλου Νικολάου Γεωργίου Βλάχος Αντωνίου Ράπτης",
    ),
    of(
        1037,
        "נועה דוד תמר יוסי מאיה אורי",
        "כהן לוי פרץ מזרחי ביטון אדלר",
    ),
    of(
        1055,
        "Ayşe Çağlar Gül İbrahim Şebnem Ömer",
        "Yılmaz Çelik Öztürk Şahin Kılıç Işık",
    ),
    of(
        1081,
        "अनन्या रोहन दीपा विक्रम मीरा अर्जुन",
        "शर्मा वर्मा पटेल नायर सिंह जोशी",
    ),
    of(
        1066,
        "Ngọc Thảo Hùng Quỳnh Đức Phương",
        "Nguyễn Trần Phạm Đặng Bùi Võ",
    ),
];

const fn of(lcid: i64, first: &'static str, last: &'static str) -> Language {
    Language { lcid, first, last }
}

/// Names that a page, a letter or a query might take for something else.
pub(super) const MARKUP: [[&str; 2]; 4] = [
    ["Ann <b>Lee</b>", "O'Brien & Sons"],
    ["Andrés", "<b>Vega</b> {{ contact }}"],
    ["\"Bob\"", "Back\\slash %20"],
    ["=SUM(A1)", "Robert'); --"],
];

/// Names that fill their columns.
pub(super) const LONG: [[&str; 2]; 2] = [
    [
        "María del Carmen Guadalupe Fernanda de los Ángeles",
        "Fernández-Villaverde y Sánchez de la Torre Muñoz A",
    ],
    [
        "Hubert Blaine Wolfe Karl-Theodor Maria Nikolaus Ga",
        "Steinhausenbergerdorffwelchevoralternwarengewissen",
    ],
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_fits_its_column() {
        let drawn = LANGUAGES.iter().flat_map(|it| [it.first, it.last]);
        let drawn = drawn.flat_map(|names| names.split(' '));
        let others = MARKUP.iter().chain(&LONG).flatten().copied();
        for name in drawn.chain(others) {
            assert!((1..=50).contains(&name.chars().count()), "{name}");
        }
        for [first, last] in LONG {
            assert_eq!([first, last].map(|name| name.chars().count()), [50, 50]);
        }
    }
}
