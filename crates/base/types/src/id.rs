//! Typed ids: `prefix_` + 26 base32 characters of a UUIDv7 (TypeID 0.3). A new resource registers its prefix here.

use std::fmt;
use std::str::FromStr;

use type_safe_id::{StaticType, TypeSafeId};
use uuid::Uuid;

/// What every id type offers; lets generic code (cursors, fixtures) work with any of them.
pub trait Id: Copy + Eq + fmt::Display + FromStr<Err = InvalidId> + Send + Sync + 'static {
    const PREFIX: &'static str;
    fn from_uuid(uuid: Uuid) -> Self;
    fn uuid(self) -> Uuid;
}

/// The text is not an id of the expected kind.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("expected an id that starts with `{expected}_` and ends in 26 base32 characters")]
pub struct InvalidId {
    pub expected: &'static str,
}

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident = $prefix:literal,)+) => {
        $(
            $(#[$doc])*
            #[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
            pub struct $name(Uuid);

            const _: () = {
                #[derive(Default)]
                struct Tag;
                impl StaticType for Tag {
                    const TYPE: &'static str = $prefix;
                }

                impl Id for $name {
                    const PREFIX: &'static str = $prefix;
                    fn from_uuid(uuid: Uuid) -> Self {
                        Self(uuid)
                    }
                    fn uuid(self) -> Uuid {
                        self.0
                    }
                }

                impl fmt::Display for $name {
                    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
                        fmt::Display::fmt(&TypeSafeId::<Tag>::from_uuid(self.0), out)
                    }
                }

                impl fmt::Debug for $name {
                    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
                        fmt::Display::fmt(self, out)
                    }
                }

                impl FromStr for $name {
                    type Err = InvalidId;
                    fn from_str(text: &str) -> Result<Self, InvalidId> {
                        let id: TypeSafeId<Tag> = text.parse().map_err(|_| InvalidId { expected: $prefix })?;
                        Ok(Self(id.uuid()))
                    }
                }

                impl serde::Serialize for $name {
                    fn serialize<S: serde::Serializer>(&self, out: S) -> Result<S::Ok, S::Error> {
                        out.collect_str(self)
                    }
                }

                impl<'de> serde::Deserialize<'de> for $name {
                    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
                        struct Text;
                        impl serde::de::Visitor<'_> for Text {
                            type Value = $name;
                            fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
                                out.write_str(concat!("an id that starts with `", $prefix, "_`"))
                            }
                            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<$name, E> {
                                text.parse().map_err(E::custom)
                            }
                        }
                        from.deserialize_str(Text)
                    }
                }

                impl utoipa::PartialSchema for $name {
                    fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::schema::Schema> {
                        utoipa::openapi::ObjectBuilder::new()
                            .schema_type(utoipa::openapi::schema::Type::String)
                            .pattern(Some(concat!("^", $prefix, "_[0-7][0-9a-hjkmnp-tv-z]{25}$")))
                            .into()
                    }
                }

                impl utoipa::ToSchema for $name {
                    fn name() -> std::borrow::Cow<'static, str> {
                        stringify!($name).into()
                    }
                }
            };
        )+

        /// Every registered prefix with the type that owns it.
        pub const PREFIXES: &[(&str, &str)] = &[$(($prefix, stringify!($name)),)+];
    };
}

ids! {
    /// An organization: the boundary that no row crosses.
    OrgId = "org",
    /// A person.
    UserId = "usr",
    /// A group of people and agents.
    GroupId = "grp",
    /// A role that an organization made for itself.
    RoleId = "rol",
    /// A prefix of resources that an outside application brings along.
    PrefixId = "pfx",
    /// An API key.
    ApiKeyId = "key",
    /// A person's membership in an organization.
    MembershipId = "mem",
    /// An invitation into an organization.
    InvitationId = "inv",
    /// An e-mail domain that an organization claims.
    DomainId = "dom",
    /// A role given to a principal.
    GrantId = "grt",
    /// A browser session.
    SessionId = "ses",
    /// An agent; also its OAuth `client_id`.
    AgentId = "agt",
    /// A credential of an agent.
    CredentialId = "crd",
    /// An OAuth client that is no agent.
    ClientId = "cli",
    /// A token (`jti`).
    TokenId = "tok",
    /// One causal chain of acts, constant through delegation.
    TxnId = "txn",
    /// A kill and its receipt.
    KillId = "kil",
    /// A fact of the ledger.
    FactId = "evt",
    /// A function.
    FunctionId = "fn",
    /// An immutable version of a function.
    FunctionVersionId = "fnv",
    /// A named secret of an organization.
    SecretId = "sec",
    /// A run.
    RunId = "run",
    /// A process that works on runs.
    WorkerId = "wrk",
    /// An incoming webhook.
    HookId = "hok",
    /// A request that a hook took.
    DeliveryId = "dlv",
    /// A schedule.
    ScheduleId = "sch",
    /// A namespace of the state store.
    NamespaceId = "stn",
    /// An entry of the state store.
    EntryId = "ste",
    /// A collection of files.
    CollectionId = "col",
    /// A file.
    FileId = "fil",
    /// A version of a file.
    FileVersionId = "flv",
    /// A package that functions may name, or would.
    PackageId = "pkg",
    /// An upload under way.
    UploadId = "upl",
    /// A link to a version of a file.
    FileLinkId = "flk",
    /// A stored blob.
    BlobId = "blb",
    /// A signing key of an issuer.
    SigningKeyId = "sky",
    /// A sign-in provider.
    AuthProviderId = "prv",
    /// A sign-in that was begun and not finished.
    SignInStateId = "sgn",
    /// A sign-in of a command line that waits for a browser.
    LoginGrantId = "lgn",
    /// A second factor of a person.
    FactorId = "fct",
    /// A link that makes the first owner.
    OwnerLinkId = "lnk",
    /// A version of an organization's policy.
    PolicyId = "pol",
    /// A recorded decision of a policy.
    DecisionId = "dec",
    /// A request.
    RequestId = "req",
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_round_trip_and_refuse_other_prefixes() {
        let id = AgentId::from_uuid(Uuid::from_u128(0x0190_0000_0000_7000_8000_0000_0000_0001));
        let text = id.to_string();
        assert_eq!(text.len(), "agt_".len() + 26);
        assert_eq!(text.parse::<AgentId>().unwrap(), id);
        assert!(text.parse::<UserId>().is_err());
        assert!("agt_".parse::<AgentId>().is_err());
        assert!("agt_zzzzzzzzzzzzzzzzzzzzzzzzzz".parse::<AgentId>().is_err());
    }

    #[test]
    fn prefixes_are_unique() {
        let mut seen = std::collections::BTreeSet::new();
        for (prefix, owner) in PREFIXES {
            assert!(seen.insert(prefix), "{owner} repeats the prefix {prefix}");
        }
    }
}
