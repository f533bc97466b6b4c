//! Fixed-width base62 (`0-9A-Za-z`): the bytes as one big-endian number, padded with zeros to the width that
//! their length needs (32 bytes → 43 characters, 4 → 6). One text per value, so texts may be compared.

const ALPHABET: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// Characters that hold any value of so many bytes: ⌈8 n / log2 62⌉.
pub const fn width(bytes: usize) -> usize {
    (bytes * 80_000).div_ceil(59_541)
}

pub fn encode(bytes: &[u8]) -> String {
    let mut number = bytes.to_vec();
    let mut digits = vec![0; width(bytes.len())];
    for digit in digits.iter_mut().rev() {
        *digit = ALPHABET[usize::from(divide(&mut number))];
    }
    digits.into_iter().map(char::from).collect()
}

/// The value of `length` bytes; none if the text has another width, a foreign character or a larger value.
pub fn decode(text: &str, length: usize) -> Option<Vec<u8>> {
    if text.len() != width(length) {
        return None;
    }
    let mut number = vec![0; length];
    for character in text.bytes() {
        multiply_add(&mut number, value(character)?)?;
    }
    Some(number)
}

pub fn is_digit(character: u8) -> bool {
    character.is_ascii_alphanumeric()
}

/// Divides the number in place by 62 and answers the remainder.
fn divide(number: &mut [u8]) -> u8 {
    let mut rest = 0_u32;
    for byte in number {
        let part = rest << 8 | u32::from(*byte);
        *byte = (part / 62) as u8;
        rest = part % 62;
    }
    rest as u8
}

/// Multiplies the number in place by 62 and adds a digit; none if it no longer fits.
fn multiply_add(number: &mut [u8], digit: u8) -> Option<()> {
    let mut carry = u32::from(digit);
    for byte in number.iter_mut().rev() {
        let part = u32::from(*byte) * 62 + carry;
        *byte = part as u8;
        carry = part >> 8;
    }
    (carry == 0).then_some(())
}

fn value(character: u8) -> Option<u8> {
    match character {
        b'0'..=b'9' => Some(character - b'0'),
        b'A'..=b'Z' => Some(character - b'A' + 10),
        b'a'..=b'z' => Some(character - b'a' + 36),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn widths_are_those_of_the_secret_format() {
        assert_eq!((width(0), width(1), width(4), width(32)), (0, 2, 6, 43));
        assert_eq!(encode(&[0; 32]), "0".repeat(43));
        assert_eq!(encode(&[0, 0, 0, 61]), "00000z");
        assert_eq!(encode(&[0xff; 4]), "4gfFC3");
    }

    #[test]
    fn refuses_what_no_value_encodes_to() {
        assert_eq!(decode("4gfFC4", 4), None, "one above the largest value");
        assert_eq!(decode("00000", 4), None);
        assert_eq!(decode("0000-0", 4), None);
        assert_eq!(decode("0000é", 4), None);
    }

    proptest! {
        #[test]
        fn round_trips(bytes in prop::collection::vec(any::<u8>(), 0..70)) {
            let text = encode(&bytes);
            prop_assert_eq!(text.len(), width(bytes.len()));
            prop_assert_eq!(decode(&text, bytes.len()), Some(bytes));
        }

        #[test]
        fn decoding_is_total_and_has_one_text_per_value(text in ".{0,50}", length in 0_usize..40) {
            if let Some(bytes) = decode(&text, length) {
                prop_assert_eq!(encode(&bytes), text);
            }
        }
    }
}
