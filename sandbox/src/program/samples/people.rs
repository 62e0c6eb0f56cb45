//! Who the sample contacts are: a few plain people first, then others as years of data entry leave them.
//!
//! Everybody is drawn from a seed, and the first of a crowd are the same however large it is. After the plain ones each
//! stretch of people has every peculiarity once or twice, in an order by chance.

use std::collections::HashSet;

use super::kinds::{Kind, PECULIAR, STRETCH};
use super::names::{LANGUAGES, LONG, MARKUP, WITH_LETTERS};

/// Organisations and their domains, which are all reserved (<https://www.rfc-editor.org/rfc/rfc2606>).
pub(super) const ORGANISATIONS: [(&str, &str); 8] = [
    ("Fabrikam", "fabrikam.example"),
    ("Northwind Traders", "northwind.example"),
    ("Fjord Energi", "fjord-energi.example"),
    ("Adventure Works", "adventure-works.example"),
    ("Tailspin Toys", "tailspin.test"),
    ("Wingtip Verlag", "wingtip.test"),
    ("Al Noor Trading", "alnoor.example"),
    ("Litware", "litware.example"),
];

/// Where people have addresses of their own.
const PRIVATE: [&str; 2] = ["mail.example", "post.test"];

/// Mail to it comes back.
const UNDELIVERABLE: &str = "nowhere.invalid";

/// Name, language and organisation of those who come first.
const FIRST: [([&str; 2], Option<i64>, usize); 10] = [
    (["Amara", "Okafor"], None, 0),
    (["Bjørn", "Østergaard"], Some(1044), 2),
    (["Chiara", "Ricci"], Some(1040), 1),
    (["Diego", "Sánchez"], Some(3082), 3),
    (["Elin", "Åkesson"], Some(1053), 0),
    (["ليلى", "حداد"], Some(1025), 6),
    (["Jonas", "Weber"], Some(1031), 5),
    (["Chloé", "Lefèvre"], Some(1036), 4),
    (["Mads", "Kjær"], Some(1030), 1),
    (["Grace", "O'Neill"], Some(1033), 7),
];

/// A person as the contact's row has them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Person {
    pub(super) kind: Kind,
    pub(super) name: [String; 2],
    pub(super) address: Option<String>,
    /// The language that the person prefers, if they ever said.
    pub(super) language: Option<i64>,
    /// The place in [`ORGANISATIONS`]; none for private persons.
    pub(super) organisation: Option<usize>,
}

/// People without end.
#[derive(Debug)]
pub(super) struct Crowd {
    chance: fastrand::Rng,
    drawn: usize,
    /// What is left of the stretch.
    stretch: Vec<Kind>,
    taken: HashSet<String>,
    plain: Vec<Person>,
}

impl Crowd {
    pub(super) fn new(seed: u64) -> Self {
        Self {
            chance: fastrand::Rng::with_seed(seed),
            drawn: 0,
            stretch: Vec::new(),
            taken: HashSet::new(),
            plain: Vec::new(),
        }
    }

    fn kind(&mut self) -> Kind {
        if self.stretch.is_empty() {
            self.stretch = PECULIAR.to_vec();
            self.stretch.resize(STRETCH, Kind::Plain);
            self.chance.shuffle(&mut self.stretch);
        }
        self.stretch.pop().unwrap_or(Kind::Plain)
    }

    /// One of the first ones.
    fn known(&mut self, place: usize) -> Option<Person> {
        let (name, language, organisation) = FIRST.get(place)?;
        let name = name.map(str::to_owned);
        Some(Person {
            kind: Kind::Plain,
            address: Some(self.address(&name, ORGANISATIONS[*organisation].1)),
            name,
            language: *language,
            organisation: Some(*organisation),
        })
    }

    /// Somebody without peculiarities.
    fn stranger(&mut self) -> Person {
        let chance = &mut self.chance;
        let among = if chance.u8(..4) < 3 {
            WITH_LETTERS
        } else {
            LANGUAGES.len()
        };
        let language = &LANGUAGES[chance.usize(..among)];
        let name = language.name(chance);
        // Many never said which language they prefer, and many have no organisation.
        let said = chance.u8(..5) > 0;
        let organisation = (chance.u8(..5) > 0).then(|| chance.usize(..ORGANISATIONS.len()));
        let private = PRIVATE[chance.usize(..PRIVATE.len())];
        let domain = organisation.map_or(private, |place| ORGANISATIONS[place].1);
        Person {
            kind: Kind::Plain,
            address: Some(self.address(&name, domain)),
            name,
            language: said.then_some(language.lcid),
            organisation,
        }
    }

    /// An address made from a name, with a number where somebody else has it already.
    fn address(&mut self, name: &[String; 2], domain: &str) -> String {
        let [first, last] = name.each_ref().map(|name| plain_letters(name));
        let dot = if first.is_empty() || last.is_empty() {
            ""
        } else {
            "."
        };
        let mut address = format!("{first}{dot}{last}@{domain}");
        if !self.taken.insert(address.clone()) {
            address = format!("{first}{dot}{last}{}@{domain}", self.drawn);
            self.taken.insert(address.clone());
        }
        address
    }

    fn peculiar(&mut self, kind: Kind) -> Person {
        let mut person = self.stranger();
        person.kind = kind;
        let address = person.address.clone().unwrap_or_default();
        let full_name = person.name.join(" ");
        person.address = match kind {
            Kind::NoAddress => None,
            Kind::SpacesAround => Some(format!("  {address} ")),
            Kind::UpperCase => Some(address.to_uppercase()),
            Kind::DisplayName => Some(format!("{full_name} <{address}>")),
            Kind::NoAtSign => Some(address.replace('@', " at ")),
            Kind::TwoAddresses => {
                let private = self.address(&person.name, PRIVATE[0]);
                Some(format!("{address}; {private}"))
            }
            Kind::Undeliverable => Some(self.address(&person.name, UNDELIVERABLE)),
            _ => Some(address),
        };
        self.rename(&mut person);
        person
    }

    /// Peculiarities that a person shares with somebody else, or has in the name.
    fn rename(&mut self, person: &mut Person) {
        let other = self.chance.usize(..self.plain.len().max(1));
        let other = self.plain.get(other).cloned();
        match (person.kind, other) {
            (Kind::SharedMailbox, _) => {
                let place = self.drawn / STRETCH % ORGANISATIONS.len();
                person.organisation = Some(place);
                person.address = Some(format!("office@{}", ORGANISATIONS[place].1));
            }
            (Kind::OtherCase, Some(other)) => {
                person.organisation = other.organisation;
                person.address = other.address.as_deref().map(capitals);
            }
            (Kind::SamePerson, Some(other)) => {
                person.name.clone_from(&other.name);
                person.address = Some(self.address(&other.name, PRIVATE[1]));
                person.organisation = None;
            }
            (Kind::LongName, _) => person.name = self.one_of(&LONG),
            (Kind::MarkupInName, _) => person.name = self.one_of(&MARKUP),
            _ => {}
        }
    }

    fn one_of(&mut self, names: &[[&str; 2]]) -> [String; 2] {
        names[self.chance.usize(..names.len())].map(str::to_owned)
    }
}

impl Iterator for Crowd {
    type Item = Person;

    fn next(&mut self) -> Option<Person> {
        let place = self.drawn;
        let person = self.known(place).unwrap_or_else(|| match self.kind() {
            Kind::Plain => self.stranger(),
            kind => self.peculiar(kind),
        });
        if person.kind == Kind::Plain {
            self.plain.push(person.clone());
        }
        self.drawn += 1;
        Some(person)
    }
}

/// A name as it stands in an address, in any script.
fn plain_letters(name: &str) -> String {
    let letters = deunicode::deunicode(name).to_lowercase();
    letters
        .chars()
        .filter(char::is_ascii_alphanumeric)
        .collect()
}

/// An address as somebody typed it who likes capitals: `Anna.Berg@Post.test`.
fn capitals(address: &str) -> String {
    let mut before = '.';
    let capital = |letter: char| {
        let starts = ".@".contains(std::mem::replace(&mut before, letter));
        if starts {
            letter.to_ascii_uppercase()
        } else {
            letter
        }
    };
    address.chars().map(capital).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_ones_are_plain_and_have_addresses_of_their_own() {
        let people: Vec<_> = Crowd::new(9).take(FIRST.len()).collect();
        assert_eq!(people[0].name, ["Amara", "Okafor"]);
        assert_eq!(
            people[0].address.as_deref(),
            Some("amara.okafor@fabrikam.example")
        );
        assert!(people.iter().all(|person| person.kind == Kind::Plain));
        let addresses: HashSet<_> = people.iter().map(|person| &person.address).collect();
        assert_eq!(addresses.len(), FIRST.len());
    }

    #[test]
    fn a_stretch_has_every_peculiarity() {
        let kinds: Vec<_> = Crowd::new(1)
            .skip(FIRST.len())
            .take(STRETCH)
            .map(|it| it.kind)
            .collect();
        for kind in PECULIAR {
            let expected = PECULIAR.iter().filter(|it| **it == kind).count();
            assert_eq!(
                kinds.iter().filter(|it| **it == kind).count(),
                expected,
                "{kind:?}"
            );
        }
    }

    #[test]
    fn what_is_peculiar_shows() {
        let people: Vec<_> = Crowd::new(3).take(1_000).collect();
        let of = |kind| people.iter().filter(move |person| person.kind == kind);
        let address = |person: &Person| person.address.clone().unwrap_or_default();
        assert!(of(Kind::NoAddress).all(|person| person.address.is_none()));
        assert!(of(Kind::SpacesAround).all(|person| address(person).trim() != address(person)));
        assert!(
            of(Kind::UpperCase).all(|person| address(person) == address(person).to_uppercase())
        );
        assert!(of(Kind::DisplayName).all(|person| address(person).ends_with('>')));
        assert!(of(Kind::NoAtSign).all(|person| !address(person).contains('@')));
        assert!(of(Kind::TwoAddresses).all(|person| address(person).matches('@').count() == 2));
        assert!(of(Kind::Undeliverable).all(|person| address(person).ends_with(".invalid")));
        let offices: Vec<_> = of(Kind::SharedMailbox).map(address).collect();
        assert!(offices.iter().collect::<HashSet<_>>().len() * 2 <= offices.len());
        for person in of(Kind::OtherCase) {
            let same = |other: &&Person| address(other).eq_ignore_ascii_case(&address(person));
            let others: HashSet<_> = people.iter().filter(same).map(address).collect();
            assert_eq!(others.len(), 2, "{others:?}");
        }
        for person in of(Kind::SamePerson) {
            let twin = |other: &&Person| other.name == person.name && other.kind == Kind::Plain;
            assert!(people.iter().any(|other| twin(&other)), "{person:?}");
        }
    }

    #[test]
    fn plain_people_share_no_address_and_speak_many_languages() {
        let people: Vec<_> = Crowd::new(5)
            .take(5_000)
            .filter(|it| it.kind == Kind::Plain)
            .collect();
        let addresses: HashSet<_> = people.iter().map(|person| &person.address).collect();
        assert_eq!(addresses.len(), people.len());
        let languages: HashSet<_> = people.iter().map(|person| person.language).collect();
        assert_eq!(
            languages.len(),
            LANGUAGES.len() + 1,
            "and some who never said"
        );
    }
}
