//! Which passwords are refused: short ones, those that stood in breaches – also with digits behind them or letters replaced –
//! and those that are made of what everybody knows of their owner.

use std::collections::BTreeSet;

/// Made by `scripts/breached-passwords.py`, which says its form.
static BREACHED: &[u8] = include_bytes!("../../data/breached.bin");

const LEAST: usize = 12;
/// Longer ones cost time and gain nothing.
const MOST: usize = 256;
const HEAD: usize = 8;
const ENTRY: usize = 6;

/// What is wrong with a password, if anything is; `owner` is what others know of the person.
pub(crate) fn weakness(password: &str, owner: &[&str]) -> Option<&'static str> {
    let length = password.chars().count();
    if length < LEAST {
        return Some(
            "is shorter than 12 characters; a few words in a row are easy to remember and long enough",
        );
    }
    if length > MOST {
        return Some("is longer than 256 characters");
    }
    let folded = password.to_lowercase();
    if !folded.chars().any(char::is_alphabetic) {
        return Some("is made of digits and signs only");
    }
    if folded.chars().collect::<BTreeSet<_>>().len() < 5 {
        return Some("repeats a few characters");
    }
    let core = core(&folded);
    if is_breached(&folded) || is_breached(&core) || is_repeated(&folded) {
        return Some("stands on lists of passwords that were stolen elsewhere, or is close to one that does");
    }
    let words = owner.iter().flat_map(|whole| whole.split(['@', '.', ' ']).chain([*whole]));
    let is_around = |word: String| {
        let close = |text: &str| text.contains(&word) && text.len() < word.len() + 6;
        word.len() >= 4 && (close(&core) || close(&folded))
    };
    if words.map(str::to_lowercase).any(is_around) {
        return Some("is made of your name or address");
    }
    None
}

/// Without what people put around a word: digits and signs at both ends, look-alikes within.
fn core(folded: &str) -> String {
    let plain: String = folded
        .chars()
        .map(|character| match character {
            '0' => 'o',
            '1' | '!' => 'i',
            '3' => 'e',
            '4' | '@' => 'a',
            '5' | '$' => 's',
            '7' => 't',
            other => other,
        })
        .collect();
    let letters = folded.trim_matches(|character: char| !character.is_alphabetic());
    let start = folded.find(letters).unwrap_or(0);
    match plain.get(start..start + letters.len()) {
        Some(core) if !letters.is_empty() => core.to_owned(),
        _ => plain,
    }
}

/// The same short word over and over.
fn is_repeated(folded: &str) -> bool {
    let half = folded.len() / 2;
    (4..=half).any(|length| {
        folded.is_char_boundary(length) && {
            let word = &folded[..length];
            folded.len().is_multiple_of(length)
                && folded.as_bytes().chunks(length).all(|part| part == word.as_bytes())
        }
    })
}

fn is_breached(folded: &str) -> bool {
    if folded.len() < 4 {
        return false;
    }
    let hash = crypto::hash::sha256(folded.as_bytes());
    let (wanted, entries) = (&hash[..ENTRY], &BREACHED[HEAD..]);
    let (mut low, mut high) = (0, entries.len() / ENTRY);
    while low < high {
        let middle = usize::midpoint(low, high);
        match entries[middle * ENTRY..][..ENTRY].cmp(wanted) {
            std::cmp::Ordering::Less => low = middle + 1,
            std::cmp::Ordering::Greater => high = middle,
            std::cmp::Ordering::Equal => return true,
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_has_its_form() {
        assert_eq!(&BREACHED[..HEAD], b"SFCBP1\0\0");
        let entries: Vec<&[u8]> = BREACHED[HEAD..].chunks(ENTRY).collect();
        assert!(entries.len() > 30_000 && entries.windows(2).all(|pair| pair[0] < pair[1]));
    }

    #[test]
    fn stolen_passwords_are_found_and_others_are_not() {
        for known in ["123456", "password", "qwertyuiop", "1q2w3e4r5t", "iloveyou"] {
            assert!(is_breached(known), "{known}");
        }
        for own in ["correct horse battery", "tangerine-submarine-4", "fjord gleam vexing"] {
            assert!(!is_breached(own), "{own}");
        }
    }

    #[test]
    fn what_is_easily_guessed_is_refused() {
        let owner = ["ada.lovelace@example.com", "Ada Lovelace"];
        for weak in [
            "",
            "elevenchars",
            "password1234",
            "Password1234!",
            "P@ssw0rd!!!!",
            "iloveyou2024",
            "qwertyuiop12",
            "123456789012",
            "aaaaaaaaaaaa",
            "abababababab",
            "dragondragon",
            "lovelace1815",
            "adalovelace!",
        ] {
            assert!(weakness(weak, &owner).is_some(), "{weak}");
        }
        assert!(weakness(&"long ".repeat(60), &owner).is_some());
    }

    #[test]
    fn good_ones_are_taken_as_they_are() {
        let owner = ["ada.lovelace@example.com", "Ada Lovelace"];
        for good in [
            "correct horse battery",
            "tangerine-submarine-4",
            "Xk7#pQ2mVw9z",
            "grüner Tee um halb vier",
            "ein sehr langer Satz ohne alles",
            "lovelace wrote notes on engines",
            "密码密码正确的马电池订书钉啊哈",
        ] {
            assert_eq!(weakness(good, &owner), None, "{good}");
        }
    }
}
