//! What tests stand on: fresh databases of both kinds, and the hand of somebody who changes them behind our back.
//!
//! Used by tests only, so it may panic: a test that cannot be set up has failed. Everything that it starts ends with the
//! test process, however that ends.
#![expect(clippy::expect_used, clippy::panic, reason = "used by tests only, where a panic is the report")]

mod bucket;
mod bus;
mod cache;
mod certificate;
mod databases;
mod directory;
mod domain_controller;
mod keycloak;
mod mail;
mod oidc;
mod postgres;
mod scim;
mod supervised;
mod tamper;
mod upstream;
mod vault;
mod webhooks;
mod wheels;

pub use bucket::BucketServer;
pub use bus::{BusKind, BusServer};
pub use databases::{Engine, TestDatabase};
pub use directory::Directory;
pub use domain_controller::DomainController;
pub use keycloak::Keycloak;
pub use mail::{Letter, MailSink, Protection};
pub use oidc::OidcProvider;
pub use scim::scim_tester;
pub use tamper::{Cell, Tamper};
pub use upstream::Upstream;
pub use vault::VaultServer;
pub use webhooks::{VendorsDelivery, signed_by_vendors};
pub use wheels::{Wheel, index_url, uv};

/// Runs one test body on both databases, as `NAME::sqlite` and `NAME::postgres`.
///
/// ```text
/// testing::on_both_databases! {
///     async fn a_change_is_whole(database: TestDatabase) { … }
/// }
/// ```
#[macro_export]
macro_rules! on_both_databases {
    ($($(#[$doc:meta])* async fn $name:ident($database:ident: TestDatabase) $body:block)+) => {$(
        $(#[$doc])*
        mod $name {
            #[expect(clippy::wildcard_imports, reason = "the body stands in the file around it")]
            use super::*;

            async fn body($database: $crate::TestDatabase) $body

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn sqlite() {
                body($crate::TestDatabase::sqlite()).await;
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn postgres() {
                body($crate::TestDatabase::postgres().await).await;
            }
        }
    )+};
}
