//! `/api/v1/packages`: what functions may name.

use axum::extract::State as Extract;
use packages::Name;
use problem::{CONFLICT, INVALID_CURSOR, PACKAGE_DECIDED, PACKAGE_EXISTS, STALE_REVISION};
use serde::{Deserialize, Serialize};
use serde_json::json;
use types::{PackageId, Timestamp};
use utoipa::ToSchema;
use web::{
    Allowed, Input, Page, Params, Refusal, Reply, Segment, Spec, leaves, operation, page, page_size, refuses,
};

use super::store::{self, Filter};
use super::{Package, PackageRef, State};
use crate::routes::PrincipalView;
use crate::{FunctionError, Functions, facts};

operation! {
    /// Asks for a package: from its approval on, functions may name it.
    pub RequestPackage(NewPackage) -> PackageView = Spec::create("packages.request", "/api/v1/packages")
        .needs("packages:create").facts(leaves![facts::PACKAGE_REQUESTED]).errors(refuses![PACKAGE_EXISTS])
        .example(r#"{"name": "requests", "reason": "For calls of our own services."}"#);

    /// Lists packages that were asked for, newest first, with what became of them.
    pub ListPackages[PackageFilter] -> Page<PackageView> = Spec::get("packages.list", "/api/v1/packages")
        .needs("packages:read").errors(refuses![INVALID_CURSOR]);

    /// Shows a package; by id or name.
    pub GetPackage -> PackageView = Spec::get("packages.get", "/api/v1/packages/{package}").needs("packages:read");

    /// Lets functions name it, and take what it brings along.
    pub ApprovePackage(Decision) -> PackageView = Spec::post("packages.approve", "/api/v1/packages/{package}/approve")
        .needs("packages:approve").in_person().facts(leaves![facts::PACKAGE_APPROVED])
        .errors(refuses![PACKAGE_DECIDED, CONFLICT, STALE_REVISION]).example(r#"{"reason": "Reviewed."}"#);

    /// Keeps functions from it: no new version may name it, nor may another package bring it along.
    pub RefusePackage(Decision) -> PackageView = Spec::post("packages.refuse", "/api/v1/packages/{package}/refuse")
        .needs("packages:approve").in_person().facts(leaves![facts::PACKAGE_REFUSED])
        .errors(refuses![PACKAGE_DECIDED, CONFLICT, STALE_REVISION]).example(r#"{"reason": "Not maintained."}"#);

    /// Takes it off the list. Versions that have it keep it; no new one may name it until it is approved again.
    pub RemovePackage -> PackageView = Spec::delete("packages.remove", "/api/v1/packages/{package}")
        .needs("packages:delete").in_person().facts(leaves![facts::PACKAGE_REMOVED])
        .errors(refuses![CONFLICT, STALE_REVISION]);
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewPackage {
    /// As the index knows it, in any spelling.
    #[schema(min_length = 1, max_length = 100, pattern = "^[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?$")]
    pub name: String,
    /// What for.
    #[schema(max_length = 1000)]
    pub reason: Option<String>,
}

/// Why so.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = PackageDecision)]
pub struct Decision {
    #[schema(max_length = 1000)]
    pub reason: Option<String>,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PackageFilter {
    pub state: Option<State>,
    /// Part of the name.
    pub q: Option<String>,
    /// 1 to 200; 50 if left out.
    pub limit: Option<i64>,
    pub cursor: Option<String>,
}

#[derive(Serialize, ToSchema)]
pub struct PackageView {
    pub id: PackageId,
    /// In its normal form: small letters, digits, single hyphens.
    pub name: String,
    pub state: State,
    /// What it was asked for.
    pub reason: String,
    /// What whoever decided said.
    pub answer: String,
    pub requested_by: PrincipalView,
    pub requested_at: Timestamp,
    pub decided_by: Option<PrincipalView>,
    pub decided_at: Option<Timestamp>,
    /// Functions that name it in the version that calls run; `GET /functions?package=` lists those that you may see.
    pub functions: i64,
    pub revision: i64,
}

impl PackageView {
    fn new(package: Package, functions: i64) -> Self {
        Self {
            id: package.id,
            name: package.name.to_string(),
            state: package.state,
            reason: package.reason,
            answer: package.answer,
            requested_by: package.requested_by.into(),
            requested_at: package.requested_at,
            decided_by: package.decided_by.as_deref().map(PrincipalView::parse),
            decided_at: package.decided_at,
            functions,
            revision: package.revision,
        }
    }
}

impl From<Package> for PackageView {
    /// Of a change: nobody counted.
    fn from(package: Package) -> Self {
        Self::new(package, 0)
    }
}

pub async fn request(
    Extract(functions): Extract<Functions>,
    allowed: Allowed<RequestPackage>,
    Input(new): Input<RequestPackage>,
) -> Result<Reply, Refusal> {
    let name: Name = new.name.parse().map_err(|refusal: packages::Refusal| FunctionError::Invalid {
        field: "/name",
        reason: refusal.to_string(),
    })?;
    let reason = new.reason.unwrap_or_default();
    allowed.settle::<RequestPackage, _, _, _>(|| functions.request_package(&allowed, &name, &reason)).await
}

pub async fn list(
    Extract(functions): Extract<Functions>,
    allowed: Allowed<ListPackages>,
    Params(filter): Params<ListPackages>,
) -> Result<Reply, Refusal> {
    let limit = page_size(filter.limit)?;
    let before = allowed.after::<PackageId>(filter.cursor.as_deref())?;
    let wanted = Filter { state: filter.state, q: filter.q, before };
    let db = &functions.inner().db;
    let rows = store::list(db, &allowed, &wanted, limit + 1).await?;
    let uses = store::uses(db, &allowed.scope()).await?;
    let cursor = |package: &Package| allowed.cursor(&[json!(package.id)]);
    let view = |package: Package| {
        let count = uses.get(package.name.as_str()).copied().unwrap_or(0);
        PackageView::new(package, count)
    };
    Ok(Reply::of::<ListPackages>(&page(rows, limit, cursor, view))?)
}

pub async fn get(
    Extract(functions): Extract<Functions>,
    allowed: Allowed<GetPackage>,
    Segment(of): Segment<PackageRef>,
) -> Result<Reply, Refusal> {
    let package = functions.find_package(&allowed, &of).await?;
    let uses = store::uses(&functions.inner().db, &allowed.scope()).await?;
    let count = uses.get(package.name.as_str()).copied().unwrap_or(0);
    Ok(Reply::of::<GetPackage>(&PackageView::new(package, count))?)
}

pub async fn approve(
    Extract(functions): Extract<Functions>,
    allowed: Allowed<ApprovePackage>,
    Segment(of): Segment<PackageRef>,
    Input(decision): Input<ApprovePackage>,
) -> Result<Reply, Refusal> {
    let reason = decision.reason.unwrap_or_default();
    let decide = || functions.decide_package(&allowed, &of, State::Approved, &reason);
    allowed.settle::<ApprovePackage, _, _, _>(decide).await
}

pub async fn refuse(
    Extract(functions): Extract<Functions>,
    allowed: Allowed<RefusePackage>,
    Segment(of): Segment<PackageRef>,
    Input(decision): Input<RefusePackage>,
) -> Result<Reply, Refusal> {
    let reason = decision.reason.unwrap_or_default();
    let decide = || functions.decide_package(&allowed, &of, State::Refused, &reason);
    allowed.settle::<RefusePackage, _, _, _>(decide).await
}

pub async fn remove(
    Extract(functions): Extract<Functions>,
    allowed: Allowed<RemovePackage>,
    Segment(of): Segment<PackageRef>,
) -> Result<Reply, Refusal> {
    allowed.settle::<RemovePackage, _, _, _>(|| functions.remove_package(&allowed, &of)).await
}
