//! XAES-256-GCM (C2SP): AES-256-GCM under a fresh key per message, derived from the first half of a random
//! 24-byte nonce (NIST SP 800-108r1 with CMAC); the second half is the GCM nonce.
//!
//! Why not plain GCM: SP 800-38D allows 2^32 messages per key with random 96-bit nonces. Here a repeated nonce
//! has probability 2^-32 only after 2^80 messages under one key, so a key may seal facts for ever.

use aws_lc_rs::aead::{self, AES_256_GCM, LessSafeKey, Nonce, UnboundKey};
use aws_lc_rs::cipher::{AES_256, EncryptingKey, UnboundCipherKey};
use aws_lc_rs::error::Unspecified;
use zeroize::Zeroizing;

pub(crate) const NONCE: usize = 24;
pub(crate) const TAG: usize = 16;

pub(crate) struct Xaes {
    block: EncryptingKey,
    /// The CMAC subkey of full blocks: AES(0) doubled in GF(2^128).
    subkey: [u8; 16],
}

impl Xaes {
    pub(crate) fn new(key: &[u8; 32]) -> Result<Self, Unspecified> {
        let block = EncryptingKey::ecb(UnboundCipherKey::new(&AES_256, key)?)?;
        let mut zero = [0; 16];
        block.encrypt(&mut zero)?;
        Ok(Self { block, subkey: double(zero) })
    }

    /// Encrypts `message` in place and answers the tag.
    pub(crate) fn seal(
        &self,
        nonce: &[u8; NONCE],
        aad: &[u8],
        message: &mut [u8],
    ) -> Result<aead::Tag, Unspecified> {
        let (key, nonce) = self.message_key(nonce)?;
        key.seal_in_place_separate_tag(nonce, aead::Aad::from(aad), message)
    }

    /// Decrypts a copy of `sealed` (ciphertext and tag).
    pub(crate) fn open(
        &self,
        nonce: &[u8; NONCE],
        aad: &[u8],
        sealed: &[u8],
    ) -> Result<Vec<u8>, Unspecified> {
        let (ciphertext, tag) = sealed.split_last_chunk::<TAG>().ok_or(Unspecified)?;
        let (key, nonce) = self.message_key(nonce)?;
        let mut message = vec![0; ciphertext.len()];
        key.open_separate_gather(nonce, aead::Aad::from(aad), ciphertext, tag, &mut message)?;
        Ok(message)
    }

    fn message_key(&self, nonce: &[u8; NONCE]) -> Result<(LessSafeKey, Nonce), Unspecified> {
        let mut key = Zeroizing::new([0; 32]);
        for (counter, block) in (1..).zip(key.chunks_exact_mut(16)) {
            block[..4].copy_from_slice(&[0, counter, b'X', 0]);
            block[4..].copy_from_slice(&nonce[..12]);
            block.iter_mut().zip(self.subkey).for_each(|(byte, mask)| *byte ^= mask);
        }
        self.block.encrypt(key.as_mut_slice())?;
        let key = LessSafeKey::new(UnboundKey::new(&AES_256_GCM, key.as_slice())?);
        Ok((key, Nonce::try_assume_unique_for_key(&nonce[12..])?))
    }
}

fn double(block: [u8; 16]) -> [u8; 16] {
    let number = u128::from_be_bytes(block);
    let overflow = if number >> 127 == 1 { 0x87 } else { 0 };
    (number << 1 ^ overflow).to_be_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The two vectors of the C2SP text: one for each value of the subkey's top bit.
    #[test]
    fn agrees_with_the_published_vectors() {
        for (key, aad, sealed) in [
            (1, "", "ce546ef63c9cc60765923609b33a9a1974e96e52daf2fcf7075e2271"),
            (3, "c2sp.org/XAES-256-GCM", "986ec1832593df5443a179437fd083bf3fdb41abd740a21f71eb769d"),
        ] {
            let xaes = Xaes::new(&[key; 32]).unwrap();
            let nonce = b"ABCDEFGHIJKLMNOPQRSTUVWX";
            let mut message = b"XAES-256-GCM".to_vec();
            let tag = xaes.seal(nonce, aad.as_bytes(), &mut message).unwrap();
            message.extend_from_slice(tag.as_ref());
            assert_eq!(hex::encode(&message), sealed);
            assert_eq!(xaes.open(nonce, aad.as_bytes(), &message).unwrap(), b"XAES-256-GCM");
            assert!(xaes.open(nonce, b"other", &message).is_err());
        }
    }
}
