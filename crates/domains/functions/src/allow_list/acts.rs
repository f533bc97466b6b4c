//! Asking for a package, approving, refusing and removing it.

use db::Change;
use ledger::FactKind;
use packages::Name;
use problem::{PACKAGE_DECIDED, Problem};
use serde_json::{Value, json};
use web::{Allowance, Decided};

use super::{Package, PackageRef, State, store};
use crate::{FunctionError, Functions, facts};

impl Functions {
    pub(crate) async fn request_package(
        &self,
        by: &Allowance,
        name: &Name,
        reason: &str,
    ) -> Result<Decided<Package>, FunctionError> {
        let inner = self.inner();
        let package = Package {
            id: inner.world.id(),
            org: by.org(),
            name: name.clone(),
            state: State::Requested,
            reason: reason.to_owned(),
            answer: String::new(),
            requested_by: by.caller().principal(),
            requested_at: inner.world.now(),
            decided_by: None,
            decided_at: None,
            revision: 1,
        };
        by.check(&package.object())?;
        let change =
            self.about(by, &package, &facts::PACKAGE_REQUESTED, json!({ "package": name.as_str() })).await?;
        Ok(Decided::new(change.statement(store::insert(&package)), package))
    }

    /// From now on functions may name it, or may not.
    pub(crate) async fn decide_package(
        &self,
        by: &Allowance,
        of: &PackageRef,
        state: State,
        answer: &str,
    ) -> Result<Decided<Package>, FunctionError> {
        let mut package = self.find_package(by, of).await?;
        by.expect_revision(package.revision)?;
        if package.state == state {
            let detail = format!("{} is {} already.", package.name, state.name());
            return Err(Problem::new(&PACKAGE_DECIDED, detail).into());
        }
        let before = std::mem::replace(&mut package.state, state);
        package.answer = answer.to_owned();
        package.decided_by = Some(by.caller().principal().to_string());
        package.decided_at = Some(self.inner().world.now());
        package.revision += 1;
        let kind = match state {
            State::Approved => &facts::PACKAGE_APPROVED,
            _ => &facts::PACKAGE_REFUSED,
        };
        let data = json!({ "package": package.name.as_str(), "before": before.name() });
        let change = self.about(by, &package, kind, data).await?;
        Ok(Decided::new(change.statement(store::decide(&package)), package))
    }

    /// What runs goes on; nothing new may name it.
    pub(crate) async fn remove_package(
        &self,
        by: &Allowance,
        of: &PackageRef,
    ) -> Result<Decided<Package>, FunctionError> {
        let package = self.find_package(by, of).await?;
        by.expect_revision(package.revision)?;
        let data = json!({ "package": package.name.as_str(), "before": package.state.name() });
        let change = self.about(by, &package, &facts::PACKAGE_REMOVED, data).await?;
        Ok(Decided::new(change.statement(store::delete(&package)), package))
    }

    /// The package, if the caller may do its operation to it.
    pub(crate) async fn find_package(
        &self,
        by: &Allowance,
        of: &PackageRef,
    ) -> Result<Package, FunctionError> {
        let found = store::find(&self.inner().db, &by.scope(), of).await?.ok_or(FunctionError::Unknown)?;
        by.check(&found.object())?;
        Ok(found)
    }

    async fn about(
        &self,
        by: &Allowance,
        package: &Package,
        kind: &'static FactKind,
        data: Value,
    ) -> Result<Change, FunctionError> {
        let fact = by.fact(kind).target("package", package.id, package.name.as_str()).data(data);
        Ok(Change::new(by.scope(), self.inner().ledger.seal(fact).await?))
    }
}
