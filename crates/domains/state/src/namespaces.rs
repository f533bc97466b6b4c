//! Making, changing and removing namespaces.

use db::Change;
use ledger::Fact;
use schema::Schema;
use serde_json::{Value, json};
use web::{Allowance, Decided, Patched};

use crate::model::{Namespace, Usage, Visibility};
use crate::words::{NamespaceName, NamespaceRef};
use crate::{StateError, StateStore, facts, store};

pub(crate) const QUOTA_ENTRIES: i64 = 10_000;
pub(crate) const QUOTA_BYTES: i64 = 64 * 1024 * 1024;

/// A namespace to be; checked by the schema of its operation.
#[derive(Clone, Debug)]
pub(crate) struct Wanted {
    pub(crate) name: NamespaceName,
    pub(crate) description: String,
    pub(crate) default_visibility: Visibility,
    pub(crate) schema: Option<Value>,
    pub(crate) strict: bool,
    pub(crate) secret: bool,
    pub(crate) ttl_seconds: Option<i64>,
    pub(crate) quota_entries: i64,
    pub(crate) quota_bytes: i64,
    pub(crate) history_depth: i64,
}

/// A merge patch (RFC 7396).
#[derive(Clone, Debug, Default)]
pub(crate) struct Patch {
    pub(crate) description: Patched<String>,
    pub(crate) default_visibility: Patched<Visibility>,
    pub(crate) schema: Patched<Value>,
    pub(crate) strict: Patched<bool>,
    pub(crate) ttl_seconds: Patched<i64>,
    pub(crate) quota_entries: Patched<i64>,
    pub(crate) quota_bytes: Patched<i64>,
    pub(crate) history_depth: Patched<i64>,
}

impl StateStore {
    pub(crate) async fn create_namespace(
        &self,
        by: &Allowance,
        wanted: &Wanted,
    ) -> Result<Decided<Namespace>, StateError> {
        let (inner, now) = (self.inner(), self.inner().world.now());
        if let Some(schema) = &wanted.schema {
            Schema::compile(schema, "/schema").map_err(StateError::Schema)?;
        }
        let namespace = Namespace {
            id: inner.world.id(),
            org: by.org(),
            name: wanted.name.clone(),
            description: wanted.description.clone(),
            owner: by.caller().principal(),
            default_visibility: wanted.default_visibility,
            schema: wanted.schema.clone(),
            strict: wanted.strict,
            secret: wanted.secret,
            ttl_seconds: wanted.ttl_seconds,
            quota_entries: wanted.quota_entries,
            quota_bytes: wanted.quota_bytes,
            history_depth: wanted.history_depth,
            created_at: now,
            updated_at: now,
            revision: 1,
            usage: Usage::default(),
        };
        by.check(&namespace.object())?;
        let data = json!({
            "namespace": namespace.name,
            "secret": namespace.secret,
            "default_visibility": namespace.default_visibility.name(),
        });
        let fact = target(by.fact(&facts::NAMESPACE_CREATED), &namespace).data(data);
        let change = Change::new(by.scope(), inner.ledger.seal(fact).await?)
            .statement(store::insert_namespace(&namespace))
            .statement(store::insert_usage(&namespace));
        Ok(Decided::new(change, namespace))
    }

    pub(crate) async fn update_namespace(
        &self,
        by: &Allowance,
        of: &NamespaceRef,
        patch: &Patch,
    ) -> Result<Decided<Namespace>, StateError> {
        let inner = self.inner();
        let mut namespace = self.find_namespace(by, of).await?;
        by.expect_revision(namespace.revision)?;
        let fields = apply(&mut namespace, patch);
        if let Some(schema) = &namespace.schema {
            Schema::compile(schema, "/schema").map_err(StateError::Schema)?;
        }
        namespace.updated_at = inner.world.now();
        namespace.revision += 1;
        let data = json!({ "namespace": namespace.name, "fields": fields });
        let fact = target(by.fact(&facts::NAMESPACE_UPDATED), &namespace).data(data);
        let change = Change::new(by.scope(), inner.ledger.seal(fact).await?)
            .statement(store::update_namespace(&namespace));
        Ok(Decided::new(change, namespace))
    }

    /// Only an empty one goes: what it holds may belong to people who know nothing of this.
    pub(crate) async fn delete_namespace(
        &self,
        by: &Allowance,
        of: &NamespaceRef,
    ) -> Result<Decided<Namespace>, StateError> {
        let inner = self.inner();
        let namespace = self.find_namespace(by, of).await?;
        by.expect_revision(namespace.revision)?;
        let live = store::count_live(&inner.db, &by.scope(), namespace.id, inner.world.now()).await?;
        if live > 0 {
            return Err(StateError::NotEmpty(live));
        }
        let fact = target(by.fact(&facts::NAMESPACE_DELETED), &namespace);
        let fact = fact.data(json!({ "namespace": namespace.name }));
        let change = Change::new(by.scope(), inner.ledger.seal(fact).await?)
            .guard_count("state_namespaces", namespace.id, namespace.revision)
            .statements(store::remove_namespace(&namespace));
        Ok(Decided::new(change, namespace))
    }
}

pub(crate) fn target(fact: Fact, namespace: &Namespace) -> Fact {
    fact.target("state_namespace", namespace.id, namespace.name.as_str())
}

/// Writes what the patch says into the namespace; answers the names of the fields. What is unset stands as if it had not
/// been given when the namespace was made.
fn apply(namespace: &mut Namespace, patch: &Patch) -> Vec<&'static str> {
    let mut fields = Vec::new();
    macro_rules! take {
        ($($field:ident or $unset:expr;)+) => {$(
            if patch.$field.write(&mut namespace.$field, || $unset) {
                fields.push(stringify!($field));
            }
        )+};
    }
    take! {
        description or String::new();
        default_visibility or Visibility::Private;
        strict or false;
        quota_entries or QUOTA_ENTRIES;
        quota_bytes or QUOTA_BYTES;
        history_depth or 0;
    }
    for (name, given) in [("schema", !patch.schema.is_kept()), ("ttl_seconds", !patch.ttl_seconds.is_kept())]
    {
        if given {
            fields.push(name);
        }
    }
    if !patch.schema.is_kept() {
        namespace.schema = patch.schema.set().cloned();
    }
    if !patch.ttl_seconds.is_kept() {
        namespace.ttl_seconds = patch.ttl_seconds.set().copied();
    }
    fields
}
