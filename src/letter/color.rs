//! Owns contrast: which colours of a brand can be read on which ground.
//!
//! Ratios and limits are those of WCAG 2.2: 4.5 for text, 3 for the edge of what can be clicked
//! (<https://www.w3.org/TR/WCAG22/#contrast-minimum>, <https://www.w3.org/TR/WCAG22/#non-text-contrast>).

/// The least contrast of text.
const TEXT: f64 = 4.5;
/// The least contrast of a button's edge.
const EDGE: f64 = 3.0;

/// A colour of red, green and blue, each 0..=255.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Color([u8; 3]);

impl Color {
    pub(super) const WHITE: Self = Self::new(0xff_ff_ff);
    pub(super) const BLACK: Self = Self::new(0);

    /// A colour by its number, `0xrrggbb`.
    pub(super) const fn new(number: u32) -> Self {
        let [_, red, green, blue] = number.to_be_bytes();
        Self([red, green, blue])
    }

    /// Reads `#rrggbb`.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let digits = text.strip_prefix('#').filter(|digits| digits.len() == 6)?;
        let hexadecimal = digits.bytes().all(|digit| digit.is_ascii_hexdigit());
        let number = u32::from_str_radix(digits, 16).ok()?;
        hexadecimal.then_some(Self::new(number))
    }

    /// Writes `#rrggbb`.
    pub(super) fn hex(self) -> String {
        let [red, green, blue] = self.0;
        format!("#{red:02x}{green:02x}{blue:02x}")
    }

    /// White where it can be read on this colour, else black. One of them always can.
    pub(super) fn text_on(self) -> Self {
        if self.contrast(Self::WHITE) >= TEXT {
            Self::WHITE
        } else {
            Self::BLACK
        }
    }

    /// This colour as text on a ground, moved away from the ground as far as it takes.
    pub(super) fn as_text_on(self, ground: Self) -> Self {
        self.away_from(ground, TEXT)
    }

    /// This colour as the edge of a button on a ground, moved likewise.
    pub(super) fn as_edge_on(self, ground: Self) -> Self {
        self.away_from(ground, EDGE)
    }

    fn away_from(self, ground: Self, wanted: f64) -> Self {
        let end = ground.text_on();
        let steps = (0..=20).map(|step| self.mixed(end, step));
        let mut enough = steps.filter(|color| color.contrast(ground) >= wanted);
        enough.next().unwrap_or(end)
    }

    /// This colour with `share` twentieths of another one.
    fn mixed(self, other: Self, share: u16) -> Self {
        let mix = |(own, other): (u8, u8)| {
            let mixed = u16::from(own) * (20 - share) + u16::from(other) * share;
            u8::try_from(mixed / 20).unwrap_or(u8::MAX)
        };
        let mut channels = self.0.into_iter().zip(other.0).map(mix);
        Self(std::array::from_fn(|_| channels.next().unwrap_or_default()))
    }

    /// From 1 to 21, whichever of the two is text.
    fn contrast(self, other: Self) -> f64 {
        let (own, other) = (self.luminance() + 0.05, other.luminance() + 0.05);
        own.max(other) / own.min(other)
    }

    fn luminance(self) -> f64 {
        let [red, green, blue] = self.0.map(|channel| {
            let share = f64::from(channel) / 255.0;
            if share <= 0.04045 {
                share / 12.92
            } else {
                ((share + 0.055) / 1.055).powf(2.4)
            }
        });
        0.2126 * red + 0.7152 * green + 0.0722 * blue
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn text_on_a_button_is_white_where_that_can_be_read() {
        for (ground, text) in [
            ("#000000", Color::WHITE),
            ("#0f6cbd", Color::WHITE),
            ("#c50f1f", Color::WHITE),
            ("#767676", Color::WHITE),
            ("#777777", Color::BLACK),
            ("#ffd800", Color::BLACK),
            ("#00FF00", Color::BLACK),
            ("#ffffff", Color::BLACK),
        ] {
            assert_eq!(Color::parse(ground).unwrap().text_on(), text, "{ground}");
        }
    }

    #[test]
    fn a_colour_that_can_be_read_stays_as_it_is() {
        let blue = Color::parse("#0f6cbd").unwrap();
        assert_eq!(blue.as_text_on(Color::WHITE), blue);
        assert_eq!(blue.hex(), "#0f6cbd");
        let yellow = Color::parse("#ffd800").unwrap();
        assert_eq!(yellow.as_text_on(Color::WHITE).hex(), "#7f6c00");
    }

    #[test]
    fn other_texts_are_no_colours() {
        for text in ["", "red", "#fff", "#12345g", "#+12345", "0f6cbd#"] {
            assert_eq!(Color::parse(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn every_brand_can_be_read(color: [u8; 3], ground: [u8; 3]) {
            let (color, ground) = (Color(color), Color(ground));
            prop_assert_eq!(Color::parse(&color.hex()), Some(color));
            prop_assert!(color.contrast(color.text_on()) >= TEXT);
            prop_assert!(color.as_text_on(ground).contrast(ground) >= TEXT);
            prop_assert!(color.as_edge_on(ground).contrast(ground) >= EDGE);
        }
    }
}
