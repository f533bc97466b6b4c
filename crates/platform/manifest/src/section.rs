//! What of a domain may stand in a file, and how it is brought about.
//!
//! A domain says so for its own types with [`Section`]; whoever composes files sees them all alike as [`AnySection`].

use futures::future::{BoxFuture, FutureExt};
use problem::{FieldError, Problem};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use utoipa::ToSchema;
use web::{Errand, Shape, Undone};

/// An entry names another one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refers {
    /// JSON pointer within the entry.
    pub field: String,
    pub section: &'static str,
    pub key: String,
}

/// An entry of a file: understood, complete, in the one form that its thing has.
#[derive(Clone, Debug, PartialEq)]
pub struct Wanted {
    pub key: String,
    pub entry: Value,
    pub refers: Vec<Refers>,
}

/// A thing that is there.
#[derive(Clone, Debug, PartialEq)]
pub struct Standing {
    pub key: String,
    /// Its id, as the API writes it.
    pub id: String,
    pub entry: Value,
}

/// A domain's section. Acts go through [`Errand::act`], so that each is admitted, decided and told as by hand.
pub trait Section: Send + Sync + 'static {
    /// An entry in the file. Its `Default`s are those of the operation that makes the thing.
    type Entry: Serialize + DeserializeOwned + ToSchema + Send + Sync + 'static;

    /// `roles`
    const NAME: &'static str;
    /// Fields that cannot be changed once the thing is made.
    const FIXED: &'static [&'static str] = &[];
    /// Fields that stay as they are where a file says nothing of them.
    const LOOSE: &'static [&'static str] = &[];

    /// Fields that come by reference only and are never told again.
    const UNTOLD: &'static [&'static str] = &[];

    /// By which entries of the section are told apart: `name`, or `namespace/name`.
    fn key(entry: &Self::Entry) -> String;

    /// The one form of entries that mean the same.
    fn settled(&self, entry: Self::Entry) -> Self::Entry {
        entry
    }

    fn refers(_: &Self::Entry) -> Vec<Refers> {
        Vec::new()
    }

    /// Whether something of this name is always there.
    fn is_built_in(_: &str) -> bool {
        false
    }

    /// What the caller may read, with ids.
    fn standing(
        &self,
        errand: &Errand,
    ) -> impl Future<Output = Result<Vec<(String, Self::Entry)>, Problem>> + Send;

    /// What takes long and changes nothing, done before an entry is made or changed: afterwards others wait.
    fn prepare(&self, _: &Errand, _: &Self::Entry) -> impl Future<Output = Result<(), Problem>> + Send {
        std::future::ready(Ok(()))
    }

    /// Answers the id.
    fn make(
        &self,
        errand: &Errand,
        entry: &Self::Entry,
    ) -> impl Future<Output = Result<String, Undone>> + Send;

    fn alter(
        &self,
        errand: &Errand,
        id: &str,
        before: &Self::Entry,
        after: &Self::Entry,
    ) -> impl Future<Output = Result<(), Undone>> + Send;

    fn remove(&self, errand: &Errand, id: &str) -> impl Future<Output = Result<(), Undone>> + Send;
}

/// A section whatever its entries are.
pub trait AnySection: Send + Sync {
    fn name(&self) -> &'static str;
    fn fixed(&self) -> &'static [&'static str];
    fn loose(&self) -> &'static [&'static str];
    fn untold(&self) -> &'static [&'static str];
    /// Of an entry.
    fn shape(&self) -> Result<Shape, String>;
    /// Of what its shape has nothing against.
    fn understand(&self, entry: Value) -> Result<Wanted, FieldError>;
    fn is_built_in(&self, key: &str) -> bool;
    fn standing<'a>(&'a self, errand: &'a Errand) -> BoxFuture<'a, Result<Vec<Standing>, Problem>>;
    fn prepare<'a>(&'a self, errand: &'a Errand, entry: &'a Value) -> BoxFuture<'a, Result<(), Problem>>;
    fn make<'a>(&'a self, errand: &'a Errand, entry: &'a Value) -> BoxFuture<'a, Result<String, Undone>>;
    fn alter<'a>(
        &'a self,
        errand: &'a Errand,
        before: &'a Standing,
        after: &'a Value,
    ) -> BoxFuture<'a, Result<(), Undone>>;
    fn remove<'a>(&'a self, errand: &'a Errand, before: &'a Standing) -> BoxFuture<'a, Result<(), Undone>>;
}

impl<S: Section> AnySection for S {
    fn name(&self) -> &'static str {
        S::NAME
    }

    fn fixed(&self) -> &'static [&'static str] {
        S::FIXED
    }

    fn loose(&self) -> &'static [&'static str] {
        S::LOOSE
    }

    fn untold(&self) -> &'static [&'static str] {
        S::UNTOLD
    }

    fn shape(&self) -> Result<Shape, String> {
        Shape::of::<S::Entry>()
    }

    fn understand(&self, entry: Value) -> Result<Wanted, FieldError> {
        let entry = Shape::read::<S::Entry>(entry)?;
        // By the places at which they are written.
        let refers = S::refers(&entry);
        let entry = self.settled(entry);
        let key = S::key(&entry);
        let unwritten =
            |error: serde_json::Error| FieldError { field: String::new(), reason: error.to_string() };
        Ok(Wanted { key, entry: serde_json::to_value(&entry).map_err(unwritten)?, refers })
    }

    fn is_built_in(&self, key: &str) -> bool {
        S::is_built_in(key)
    }

    fn standing<'a>(&'a self, errand: &'a Errand) -> BoxFuture<'a, Result<Vec<Standing>, Problem>> {
        async move {
            let told = |(id, entry): (String, S::Entry)| {
                let entry = self.settled(entry);
                let key = S::key(&entry);
                Ok(Standing { key, id, entry: serde_json::to_value(&entry).map_err(Problem::internal)? })
            };
            Section::standing(self, errand).await?.into_iter().map(told).collect()
        }
        .boxed()
    }

    fn prepare<'a>(&'a self, errand: &'a Errand, entry: &'a Value) -> BoxFuture<'a, Result<(), Problem>> {
        async move { Section::prepare(self, errand, &known::<S>(entry)?).await }.boxed()
    }

    fn make<'a>(&'a self, errand: &'a Errand, entry: &'a Value) -> BoxFuture<'a, Result<String, Undone>> {
        async move { Section::make(self, errand, &known::<S>(entry)?).await }.boxed()
    }

    fn alter<'a>(
        &'a self,
        errand: &'a Errand,
        before: &'a Standing,
        after: &'a Value,
    ) -> BoxFuture<'a, Result<(), Undone>> {
        async move {
            Section::alter(self, errand, &before.id, &known::<S>(&before.entry)?, &known::<S>(after)?).await
        }
        .boxed()
    }

    fn remove<'a>(&'a self, errand: &'a Errand, before: &'a Standing) -> BoxFuture<'a, Result<(), Undone>> {
        async move { Section::remove(self, errand, &before.id).await }.boxed()
    }
}

/// Of what was an entry of this type before.
fn known<S: Section>(entry: &Value) -> Result<S::Entry, Problem> {
    serde_json::from_value(entry.clone()).map_err(Problem::internal)
}
