//! Time-based one-time passwords (RFC 6238 over RFC 4226): HMAC-SHA-1, 30 seconds, six digits – what every authenticator
//! app does. SHA-1's collisions do not matter inside HMAC; here it stands for compatibility alone.

use aws_lc_rs::hmac;
use types::{Secret, Timestamp, World};

/// Seconds of one code.
pub const STEP: i64 = 30;
const DIGITS: usize = 6;
/// As long as HMAC-SHA-1's output (RFC 4226 §4, R6).
const LENGTH: usize = 20;

/// The secret that a person's app and we share.
pub struct TotpSecret(Secret<Vec<u8>>);

impl TotpSecret {
    pub fn generate(world: &World) -> Self {
        Self(Secret::new(world.bytes::<LENGTH>().to_vec()))
    }

    pub fn from_bytes(bytes: Vec<u8>) -> Self {
        Self(Secret::new(bytes))
    }

    pub fn bytes(&self) -> &[u8] {
        self.0.reveal()
    }

    /// As apps take it: RFC 4648 base32 without padding.
    pub fn base32(&self) -> Secret<String> {
        Secret::new(base32(self.bytes()))
    }

    /// Reads what [`TotpSecret::base32`] gave.
    pub fn from_base32(text: &str) -> Option<Self> {
        let mut bytes = Vec::new();
        let (mut held, mut bits) = (0_u32, 0_u32);
        for byte in text.bytes() {
            let digit = ALPHABET.iter().position(|known| *known == byte.to_ascii_uppercase())?;
            held = held << 5 | u32::try_from(digit).ok()?;
            bits += 5;
            if bits >= 8 {
                bits -= 8;
                bytes.push(u8::try_from(held >> bits & 0xff).ok()?);
            }
        }
        Some(Self::from_bytes(bytes))
    }

    /// The code of one step.
    pub fn code(&self, step: i64) -> String {
        let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, self.bytes());
        let tag = hmac::sign(&key, &step.to_be_bytes());
        let tag = tag.as_ref();
        let at = usize::from(tag[tag.len() - 1] & 0x0f);
        let word = u32::from_be_bytes([tag[at] & 0x7f, tag[at + 1], tag[at + 2], tag[at + 3]]);
        format!("{:0width$}", word % 10_u32.pow(6), width = DIGITS)
    }

    /// The step that `code` belongs to, one before and one after allowed (RFC 6238 §5.2). Every step is compared, in
    /// constant time; a step at or before `last` was used already.
    pub fn check(&self, code: &str, now: Timestamp, last: i64) -> Option<i64> {
        let current = now.seconds().div_euclid(STEP);
        let mut found = None;
        for step in [current - 1, current, current + 1] {
            if crate::eq(self.code(step).as_bytes(), code.as_bytes()) && step > last {
                found = Some(step);
            }
        }
        found
    }
}

const ALPHABET: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

fn base32(bytes: &[u8]) -> String {
    let mut out = String::with_capacity(bytes.len() * 8 / 5 + 1);
    let (mut held, mut bits) = (0_u32, 0_u32);
    for byte in bytes {
        held = held << 8 | u32::from(*byte);
        bits += 8;
        while bits >= 5 {
            bits -= 5;
            out.push(char::from(ALPHABET[(held >> bits & 31) as usize]));
        }
    }
    if bits > 0 {
        out.push(char::from(ALPHABET[(held << (5 - bits) & 31) as usize]));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 6238, appendix B, SHA-1; the last six of its eight digits.
    #[test]
    fn agrees_with_rfc_6238() {
        let secret = TotpSecret::from_bytes(b"12345678901234567890".to_vec());
        for (seconds, code) in [
            (59, "287082"),
            (1_111_111_109, "081804"),
            (1_111_111_111, "050471"),
            (1_234_567_890, "005924"),
            (2_000_000_000, "279037"),
            (20_000_000_000, "353130"),
        ] {
            assert_eq!(secret.code(seconds / STEP), code);
            let now = Timestamp::from_millis(seconds * 1000);
            assert_eq!(secret.check(code, now, 0), Some(seconds / STEP));
        }
    }

    /// RFC 4226, appendix D.
    #[test]
    fn agrees_with_rfc_4226() {
        let secret = TotpSecret::from_bytes(b"12345678901234567890".to_vec());
        let codes = [
            "755224", "287082", "359152", "969429", "338314", "254676", "287922", "162583", "399871",
            "520489",
        ];
        for (step, code) in codes.iter().enumerate() {
            assert_eq!(secret.code(step as i64), *code);
        }
    }

    #[test]
    fn a_code_holds_for_its_neighbours_and_once() {
        let secret = TotpSecret::generate(&World::system());
        let at = |step: i64| Timestamp::from_millis(step * STEP * 1000);
        let code = secret.code(1000);
        for (step, found) in
            [(998, None), (999, Some(1000)), (1000, Some(1000)), (1001, Some(1000)), (1002, None)]
        {
            assert_eq!(secret.check(&code, at(step), 0), found, "{step}");
        }
        assert_eq!(secret.check(&code, at(1000), 1000), None);
        for wrong in ["", "00000", "0000000", "abcdef"] {
            assert_eq!(secret.check(wrong, at(1000), 0), None);
        }
    }

    /// RFC 4648 §10, without the padding.
    #[test]
    fn base32_is_that_of_rfc_4648() {
        for (bytes, text) in [
            ("f", "MY"),
            ("fo", "MZXQ"),
            ("foo", "MZXW6"),
            ("foob", "MZXW6YQ"),
            ("fooba", "MZXW6YTB"),
            ("foobar", "MZXW6YTBOI"),
        ] {
            assert_eq!(base32(bytes.as_bytes()), text);
            assert_eq!(TotpSecret::from_base32(text).unwrap().bytes(), bytes.as_bytes());
        }
        assert!(TotpSecret::from_base32("1").is_none());
    }
}
