//! Owns the changing of inputs: by bytes, by lines and by the tokens of JSON, under a seed.

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

/// Tokens that readers trip over.
const TOKENS: [&str; 40] = [
    "null",
    "true",
    "{}",
    "[]",
    "\"\"",
    "0",
    "-1",
    "1e999",
    "0.5",
    "18446744073709551615",
    "18446744073709551616",
    "-9223372036854775808",
    "4294967296",
    "\\u0000",
    "\\ud800",
    "\u{feff}",
    "\u{202e}",
    "é",
    "'",
    "''",
    "%00",
    "%2F",
    "&#x26;",
    "\r\n",
    "\r\n\r\n",
    "\n",
    "--",
    "HTTP/1.1 999 ",
    "HTTP/1.1 200 OK\r\n",
    "ann@example.com",
    "0001-01-01T00:00:00Z",
    "9999-12-31T23:59:59.9999999Z",
    "-009999-01-01T00:00:00Z",
    "2026-02-30",
    "<a href=\"",
    "//evil",
    "\\",
    "/../",
    "00000000-0000-0000-0000-000000000000",
    "\u{0}",
];

/// No input is made longer than this.
const LONGEST: usize = 64 * 1024;

/// Another input, made from one and with pieces of another.
pub(super) fn mutate(input: &[u8], other: &[u8], seed: u64) -> Vec<u8> {
    let mut random = StdRng::seed_from_u64(seed);
    let mut bytes = input.to_vec();
    // One change leaves most inputs sound; several lead further.
    let changes = if random.random_bool(0.6) {
        1
    } else {
        random.random_range(2..=6)
    };
    for _ in 0..changes {
        change(&mut bytes, other, &mut random);
        bytes.truncate(LONGEST);
    }
    bytes
}

fn change(bytes: &mut Vec<u8>, other: &[u8], random: &mut StdRng) {
    let range = if random.random_bool(0.5) {
        some_token(bytes, random)
    } else {
        some_range(bytes.len(), random)
    };
    let piece = bytes[range.clone()].to_vec();
    match random.random_range(0..9) {
        0 => drop(bytes.drain(range)),
        1 => drop(bytes.splice(range.end..range.end, piece)),
        2 => drop(bytes.splice(range, other[some_range(other.len(), random)].to_vec())),
        3 | 4 => {
            let token = TOKENS[random.random_range(0..TOKENS.len())];
            drop(bytes.splice(range, token.bytes()));
        }
        5 => {
            if let Some(byte) = bytes.get_mut(range.start) {
                *byte ^= 1 << random.random_range(0..8);
            }
        }
        6 => nest(bytes, range.start, random),
        7 => repeat_line(bytes, random),
        _ => {
            let times = random.random_range(2..200);
            drop(bytes.splice(range, piece.repeat(times)));
        }
    }
}

fn some_range(length: usize, random: &mut StdRng) -> std::ops::Range<usize> {
    let start = random.random_range(0..=length);
    let end = (start + random.random_range(0..=32)).min(length);
    start..end
}

/// A run of bytes that belong together: a word, a number, or a single sign.
fn some_token(bytes: &[u8], random: &mut StdRng) -> std::ops::Range<usize> {
    let start = random.random_range(0..=bytes.len());
    let is_word = |byte: &u8| byte.is_ascii_alphanumeric() || b"-_.+:".contains(byte);
    let before = bytes[..start]
        .iter()
        .rev()
        .take_while(|byte| is_word(byte))
        .count();
    let after = bytes[start..]
        .iter()
        .take_while(|byte| is_word(byte))
        .count();
    let end = start + after;
    if before + after == 0 {
        return start..(start + 1).min(bytes.len());
    }
    start - before..end
}

/// Opens brackets, and closes some of them at the end.
fn nest(bytes: &mut Vec<u8>, at: usize, random: &mut StdRng) {
    let depth = random.random_range(1..300);
    let (open, close) = [("[", "]"), ("{\"a\":", "}"), ("<a ", ">")][random.random_range(0..3)];
    bytes.splice(at..at, open.repeat(depth).bytes());
    bytes.extend(close.repeat(random.random_range(0..=depth)).bytes());
}

/// Puts a line somewhere else as well: late, early or twice.
fn repeat_line(bytes: &mut Vec<u8>, random: &mut StdRng) {
    let lines: Vec<&[u8]> = bytes.split_inclusive(|byte| *byte == b'\n').collect();
    if lines.is_empty() {
        return;
    }
    let line = lines[random.random_range(0..lines.len())];
    let place = random.random_range(0..=lines.len());
    let mut all = lines[..place].to_vec();
    all.push(line);
    if random.random_bool(0.7) {
        all.extend(&lines[place..]);
    }
    *bytes = all.concat();
}
