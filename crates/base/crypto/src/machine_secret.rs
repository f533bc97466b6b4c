//! Secrets of machines: `sfc_<env>_<keyid>_<43 base62>_<crc32>` of credentials and `sfk_…` of API keys, made to be found
//! by scanners.
//!
//! env is dev, stg or prd; keyid the 26 base32 characters of the row's id, by which it is looked up; the
//! middle part 256 random bits; the last the CRC-32, in 6 base62 characters, of everything before its underscore.
//! The checksum only turns a mistyped secret away before anything is looked up. What is stored is a tag
//! ([`crate::mac::MacKey`] under the pepper) of the whole text.

use types::{Secret, World};

use crate::{base62, crc32};

const ENVIRONMENTS: [&str; 3] = ["dev", "stg", "prd"];
const KEY_ID: usize = 26;
const RANDOM: usize = 32;

/// What a secret is for; no text is both.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SecretForm {
    /// `sfc`: an agent's credential.
    Credential,
    /// `sfk`: an API key.
    ApiKey,
}

impl SecretForm {
    const fn prefix(self) -> &'static str {
        match self {
            Self::Credential => "sfc",
            Self::ApiKey => "sfk",
        }
    }
}

/// Makes machine secrets; see the module for their form.
pub struct MachineSecret;

/// The parts of a well-formed secret; whether it is a valid one only its tag tells.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct ParsedSecret<'a> {
    pub env: &'a str,
    pub key_id: &'a str,
    /// The 43 random characters.
    pub secret: &'a str,
}

/// Never says which part was wrong: the text may be most of somebody's secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a secret of the form sfc_ or sfk_<env>_<key>_<secret>_<checksum>; copy it again in full")]
pub struct MalformedSecret;

impl MachineSecret {
    /// A new secret; refuses an environment or key id that could not be parsed back.
    pub fn generate(
        world: &World,
        form: SecretForm,
        env: &str,
        key_id: &str,
    ) -> Result<Secret<String>, MalformedSecret> {
        if !ENVIRONMENTS.contains(&env) || !is_key_id(key_id) {
            return Err(MalformedSecret);
        }
        let random: Secret<[u8; RANDOM]> = Secret::new(world.bytes());
        let secret = Secret::new(base62::encode(random.reveal()));
        let body = Secret::new(format!("{}_{env}_{key_id}_{}", form.prefix(), secret.reveal()));
        Ok(Secret::new(format!("{}_{}", body.reveal(), checksum(body.reveal()))))
    }

    pub fn parse(form: SecretForm, text: &str) -> Result<ParsedSecret<'_>, MalformedSecret> {
        let (body, sum) = text.rsplit_once('_').ok_or(MalformedSecret)?;
        let mut parts = body.split('_');
        let mut part = || parts.next().ok_or(MalformedSecret);
        let (prefix, env, key_id, secret) = (part()?, part()?, part()?, part()?);
        let shaped = parts.next().is_none()
            && prefix == form.prefix()
            && ENVIRONMENTS.contains(&env)
            && is_key_id(key_id)
            && secret.len() == base62::width(RANDOM)
            && secret.bytes().all(base62::is_digit)
            && sum == checksum(body);
        if shaped { Ok(ParsedSecret { env, key_id, secret }) } else { Err(MalformedSecret) }
    }
}

fn checksum(body: &str) -> String {
    base62::encode(&crc32(body.as_bytes()).to_be_bytes())
}

/// TypeID's base32 of 128 bits: lower-case Crockford, the first character holding three bits.
fn is_key_id(text: &str) -> bool {
    let digit = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'h' | b'j' | b'k' | b'm' | b'n' | b'p'..=b't' | b'v'..=b'z');
    text.len() == KEY_ID && matches!(text.as_bytes()[0], b'0'..=b'7') && text.bytes().all(digit)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use types::CredentialId;

    use super::*;

    fn made() -> String {
        let world = World::system();
        let id = world.id::<CredentialId>().to_string();
        MachineSecret::generate(&world, SecretForm::Credential, "stg", id.trim_start_matches("crd_"))
            .unwrap()
            .reveal()
            .clone()
    }

    #[test]
    fn parses_what_it_makes() {
        let text = made();
        assert_eq!(text.len(), 85);
        let parsed = MachineSecret::parse(SecretForm::Credential, &text).unwrap();
        assert_eq!((parsed.env, parsed.secret.len()), ("stg", 43));
        assert!(format!("crd_{}", parsed.key_id).parse::<CredentialId>().is_ok());
        assert_ne!(text, made());
    }

    #[test]
    fn the_form_stays_as_published() {
        let secret = "0".repeat(43);
        let body = format!("sfc_dev_01h455vb4pex5vsknk084sn02q_{secret}");
        let text = format!("{body}_{}", base62::encode(&crc32(body.as_bytes()).to_be_bytes()));
        assert!(MachineSecret::parse(SecretForm::Credential, &text).is_ok());
        assert!(MachineSecret::parse(SecretForm::Credential, &text.to_uppercase()).is_err());
        assert!(MachineSecret::parse(SecretForm::Credential, &format!("{text}_")).is_err());
        assert!(MachineSecret::parse(SecretForm::Credential, &format!(" {text}")).is_err());
        assert!(MachineSecret::parse(SecretForm::Credential, &body).is_err());
    }

    #[test]
    fn an_api_key_is_no_credential() {
        let world = World::system();
        let key =
            MachineSecret::generate(&world, SecretForm::ApiKey, "dev", "01h455vb4pex5vsknk084sn02q").unwrap();
        assert!(key.reveal().starts_with("sfk_dev_"));
        assert!(MachineSecret::parse(SecretForm::ApiKey, key.reveal()).is_ok());
        assert!(MachineSecret::parse(SecretForm::Credential, key.reveal()).is_err());
        assert!(MachineSecret::parse(SecretForm::ApiKey, &made()).is_err());
    }

    #[test]
    fn every_other_character_anywhere_is_refused() {
        let text = made();
        for at in 0..text.len() {
            for other in ['0', 'Z', '_', 'é', '\0'] {
                let changed: String = text
                    .chars()
                    .enumerate()
                    .map(|(index, old)| if index == at { other } else { old })
                    .collect();
                assert_eq!(
                    MachineSecret::parse(SecretForm::Credential, &changed).is_ok(),
                    changed == text,
                    "{at} {other:?}"
                );
            }
        }
    }

    #[test]
    fn makes_no_secret_that_could_not_be_parsed() {
        let world = World::system();
        let key = "01h455vb4pex5vsknk084sn02q";
        for (env, key) in
            [("prod", key), ("", key), ("dev", ""), ("dev", "81h455vb4pex5vsknk084sn02q"), ("dev", &key[1..])]
        {
            assert!(MachineSecret::generate(&world, SecretForm::Credential, env, key).is_err());
        }
    }

    proptest! {
        #[test]
        fn parsing_is_total(text in "(sfc_)?(dev_|stg_)?[0-9a-z]{0,30}_?\\PC{0,60}") {
            prop_assert!(MachineSecret::parse(SecretForm::Credential, &text).is_err());
        }
    }
}
