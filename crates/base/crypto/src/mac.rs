//! HMAC-SHA-256 (RFC 2104) with the key schedule done once, and comparison in constant time.

use aws_lc_rs::constant_time::verify_slices_are_equal;
use aws_lc_rs::hmac;

/// A key for tags: peppers, cursors, index hashes.
#[derive(Clone)]
pub struct MacKey(hmac::Key);

impl MacKey {
    /// Any length is allowed; 32 random bytes are meant.
    pub fn new(bytes: impl AsRef<[u8]>) -> Self {
        Self(hmac::Key::new(hmac::HMAC_SHA256, bytes.as_ref()))
    }

    /// The tag over the parts one after another; the caller sees to it that their borders are unambiguous.
    pub fn tag(&self, parts: &[&[u8]]) -> [u8; 32] {
        let mut context = hmac::Context::with_key(&self.0);
        for part in parts {
            context.update(part);
        }
        let mut tag = [0; 32];
        tag.copy_from_slice(context.sign().as_ref());
        tag
    }

    /// Whether `tag` is the whole tag of the parts; takes the same time wherever they differ.
    pub fn verify(&self, parts: &[&[u8]], tag: &[u8]) -> bool {
        eq(&self.tag(parts), tag)
    }
}

/// The hashes that other parties' signatures are made with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MacHash {
    Sha256,
    Sha512,
}

/// The HMAC (RFC 2104) of the parts one after another under a key of any length.
pub fn tag_with(hash: MacHash, key: &[u8], parts: &[&[u8]]) -> Vec<u8> {
    let hash = match hash {
        MacHash::Sha256 => hmac::HMAC_SHA256,
        MacHash::Sha512 => hmac::HMAC_SHA512,
    };
    let mut context = hmac::Context::with_key(&hmac::Key::new(hash, key));
    for part in parts {
        context.update(part);
    }
    context.sign().as_ref().to_vec()
}

/// Compares secrets: the time depends on the lengths only.
pub fn eq(left: &[u8], right: &[u8]) -> bool {
    verify_slices_are_equal(left, right).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 4231 §4, cases 1 to 4, 6 and 7: key, data, tag.
    fn rfc_4231() -> Vec<(Vec<u8>, Vec<u8>, &'static str)> {
        let long = b"This is a test using a larger than block-size key and a larger than block-size data. \
                     The key needs to be hashed before being used by the HMAC algorithm.";
        vec![
            (
                vec![0x0b; 20],
                b"Hi There".to_vec(),
                "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7",
            ),
            (
                b"Jefe".to_vec(),
                b"what do ya want for nothing?".to_vec(),
                "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
            ),
            (
                vec![0xaa; 20],
                vec![0xdd; 50],
                "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe",
            ),
            (
                (1..=25).collect(),
                vec![0xcd; 50],
                "82558a389a443c0ea4cc819899f2083a85f0faa3e578f8077a2e3ff46729665b",
            ),
            (
                vec![0xaa; 131],
                b"Test Using Larger Than Block-Size Key - Hash Key First".to_vec(),
                "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54",
            ),
            (
                vec![0xaa; 131],
                long.to_vec(),
                "9b09ffa71b942fcb27635fbcd5b0e944bfdc63644f0713938a7f51535c3a35e2",
            ),
        ]
    }

    #[test]
    fn agrees_with_rfc_4231() {
        for (key, data, tag) in rfc_4231() {
            let key = MacKey::new(&key);
            assert_eq!(hex::encode(key.tag(&[&data])), tag);
            let (head, tail) = data.split_at(data.len() / 2);
            assert!(key.verify(&[head, tail], &hex::decode(tag).unwrap()));
        }
    }

    #[test]
    fn knows_the_longer_hash_of_rfc_4231_too() {
        let tag = tag_with(MacHash::Sha512, b"Jefe", &[b"what do ya want ", b"for nothing?"]);
        let expected = "164b7a7bfcf819e2e395fbe73b56e0a387bd64222e831fd610270cd7ea250554\
                        9758bf75c05a994a6d034f65f8f0e6fdcaeab1a34d4a6b4b636e070a38bce737";
        assert_eq!(hex::encode(tag), expected);
        let short = tag_with(MacHash::Sha256, &[0x0b; 20], &[b"Hi There"]);
        assert_eq!(short, MacKey::new([0x0b; 20]).tag(&[b"Hi There"]));
    }

    #[test]
    fn refuses_shortened_and_changed_tags() {
        let key = MacKey::new([7; 32]);
        let tag = key.tag(&[b"message"]);
        assert!(!key.verify(&[b"message"], &tag[..16]));
        assert!(!key.verify(&[b"message"], &[]));
        for bit in 0..256 {
            let mut changed = tag;
            changed[bit / 8] ^= 1 << (bit % 8);
            assert!(!key.verify(&[b"message"], &changed));
        }
    }
}
