//! `/api/v1/users`: the people of the organization; `/api/v1/system/users`: those of the instance, for operators.

use axum::extract::State;
use problem::{
    ALREADY_EXISTS, AUTHORITY_EXCEEDED, CONFLICT, INVALID_CURSOR, LAST_OWNER, ORGANIZATION_LEAVING,
    OUTSIDE_DOMAINS, OWN_ACCOUNT, STALE_REVISION, USER_ACTIVE, USER_SUSPENDED,
};
use serde::{Deserialize, Serialize};
use serde_json::json;
use types::{Email, OrgId, Timestamp, UserId};
use utoipa::ToSchema;
use web::{
    Allowed, Decided, Input, Page, Params, Rate, Refusal, Reply, Segment, Spec, leaves, operation, page,
    page_size, refuses,
};

use super::Rooms;
use super::members::MemberView;
use crate::import::{Entry, Imported, Outcome};
use crate::store::{self, MemberFilter};
use crate::users::Known;
use crate::{PeopleError, Person, facts};

operation! {
    /// Lists the people of the organization.
    pub ListUsers[UserFilter] -> Page<UserView> = Spec::get("users.list", "/api/v1/users").needs("users:read");

    /// Shows a person of the organization.
    pub GetUser -> UserView = Spec::get("users.get", "/api/v1/users/{user}").needs("users:read");

    /// Creates a person whose address lies in a domain that the organization has proved; a member from then on.
    pub CreateUser(NewUser) -> UserView = Spec::create("users.create", "/api/v1/users")
        .needs("users:create").step_up().facts(leaves![facts::USER_CREATED])
        .further_facts(leaves![facts::MEMBER_JOINED, facts::MEMBER_LINKED])
        .errors(refuses![ALREADY_EXISTS, AUTHORITY_EXCEEDED, OUTSIDE_DOMAINS, ORGANIZATION_LEAVING, CONFLICT])
        .example(r#"{"email": "grace@proved.example", "display_name": "Grace Hopper", "roles": ["member"]}"#);

    /// Suspends a member everywhere whose address lies in a domain that the organization has proved.
    pub SuspendInside(Because) -> MemberView = Spec::post("users.suspend", "/api/v1/users/{user}/suspend")
        .needs("users:update").facts(leaves![facts::USER_SUSPENDED])
        .errors(refuses![
            AUTHORITY_EXCEEDED, LAST_OWNER, OUTSIDE_DOMAINS, OWN_ACCOUNT, USER_SUSPENDED, CONFLICT, STALE_REVISION,
        ])
        .example(r#"{"reason": "left the company"}"#);

    /// Undoes the organization's own suspension of a member.
    pub ReactivateInside -> MemberView = Spec::post("users.reactivate", "/api/v1/users/{user}/reactivate")
        .needs("users:update").facts(leaves![facts::USER_REACTIVATED])
        .errors(refuses![OUTSIDE_DOMAINS, USER_ACTIVE, CONFLICT, STALE_REVISION]);

    /// Brings many people in; says for each what became of it.
    pub ImportUsers(Import) -> ImportView = Spec::post("users.import", "/api/v1/users/import")
        .needs("users:create").step_up().rate(Rate::Heavy).facts(leaves![facts::USERS_IMPORTED])
        .further_facts(leaves![facts::USER_CREATED, facts::MEMBER_JOINED, facts::MEMBER_LINKED])
        .errors(refuses![CONFLICT])
        .example(r#"{"provider": "https://idp.example.com", "entries": [{"external_id": "17", "email": "alan@proved.example", "display_name": "Alan Turing", "roles": ["member"]}]}"#);

    /// Lists all people of the instance; for operators.
    pub SearchUsers[UserSearch] -> Page<UserView> = Spec::get("system.users.list", "/api/v1/system/users")
        .needs("system:users").errors(refuses![INVALID_CURSOR]);

    /// Shows a person and where it belongs; for operators.
    pub GetKnown -> KnownView = Spec::get("system.users.get", "/api/v1/system/users/{user}").needs("system:users");

    /// Suspends a person everywhere: every session ends, every token is void at once.
    pub SuspendUser(Because) -> KnownView = Spec::post("system.users.suspend", "/api/v1/system/users/{user}/suspend")
        .needs("system:users").facts(leaves![facts::USER_SUSPENDED])
        .errors(refuses![OWN_ACCOUNT, USER_SUSPENDED, CONFLICT, STALE_REVISION])
        .example(r#"{"reason": "left the company"}"#);

    /// Lets a suspended person sign in again.
    pub ReactivateUser -> KnownView =
        Spec::post("system.users.reactivate", "/api/v1/system/users/{user}/reactivate")
            .needs("system:users").facts(leaves![facts::USER_REACTIVATED])
            .errors(refuses![USER_ACTIVE, CONFLICT, STALE_REVISION]);
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct UserFilter {
    /// 1 to 200; 50 if left out.
    pub limit: Option<i64>,
    pub cursor: Option<String>,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct UserSearch {
    pub status: Option<UserStatus>,
    /// Part of the display name, e-mail address or user name.
    pub q: Option<String>,
    /// 1 to 200; 50 if left out.
    pub limit: Option<i64>,
    pub cursor: Option<String>,
}

#[derive(Clone, Copy, Deserialize, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum UserStatus {
    Active,
    Suspended,
}

impl UserStatus {
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Suspended => "suspended",
        }
    }
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = WhySuspended)]
pub struct Because {
    /// Kept on the fact.
    #[schema(max_length = 500)]
    pub reason: Option<String>,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewUser {
    /// Inside a domain that the organization has proved.
    pub email: Email,
    #[schema(min_length = 1, max_length = 200)]
    pub display_name: String,
    /// Sign-in name, unique on the instance; folded to lower case.
    #[schema(max_length = 100, pattern = r"^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$")]
    pub username: Option<String>,
    #[serde(default)]
    #[schema(max_items = 20)]
    pub roles: Vec<String>,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Import {
    /// Issuer or name of the directory that the entries come from.
    #[schema(min_length = 1, max_length = 200)]
    pub provider: String,
    #[schema(min_items = 1, max_items = 500)]
    pub entries: Vec<ImportEntry>,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ImportEntry {
    /// Who it is at the provider.
    #[schema(min_length = 1, max_length = 200)]
    pub external_id: String,
    #[schema(max_length = 100, pattern = r"^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$")]
    pub username: Option<String>,
    pub email: Option<Email>,
    #[schema(min_length = 1, max_length = 200)]
    pub display_name: String,
    #[serde(default)]
    #[schema(max_items = 20)]
    pub roles: Vec<String>,
}

#[derive(Serialize, ToSchema)]
pub struct ImportView {
    /// In the order of the request.
    pub outcomes: Vec<ImportOutcome>,
    pub created: usize,
    pub joined: usize,
    pub linked: usize,
    pub unchanged: usize,
    pub refused: usize,
}

#[derive(Serialize, ToSchema)]
pub struct ImportOutcome {
    pub external_id: String,
    /// `created`, `joined`, `linked`, `unchanged` or `refused`.
    pub outcome: &'static str,
    pub user: Option<UserId>,
    /// Why it was refused.
    pub code: Option<String>,
    pub detail: Option<String>,
}

#[derive(Serialize, ToSchema)]
pub struct UserView {
    pub id: UserId,
    pub display_name: String,
    pub username: Option<String>,
    pub email: Option<String>,
    /// An address that was not proved signs nobody in.
    pub email_verified: bool,
    /// `active` or `suspended`.
    pub status: &'static str,
    pub created_at: Timestamp,
    pub last_login_at: Option<Timestamp>,
    pub revision: i64,
}

#[derive(Serialize, ToSchema)]
pub struct KnownView {
    #[serde(flatten)]
    pub user: UserView,
    /// Where the person is a member.
    pub orgs: Vec<OrgId>,
}

impl From<Person> for UserView {
    fn from(person: Person) -> Self {
        Self {
            id: person.id,
            display_name: person.display_name,
            username: person.username,
            email: person.email,
            email_verified: person.email_verified,
            status: if person.active { "active" } else { "suspended" },
            created_at: person.created_at,
            last_login_at: person.last_login_at,
            revision: person.revision,
        }
    }
}

impl From<Known> for KnownView {
    fn from(known: Known) -> Self {
        Self { user: known.person.into(), orgs: known.orgs }
    }
}

pub async fn list(
    State(rooms): State<Rooms>,
    allowed: Allowed<ListUsers>,
    Params(filter): Params<ListUsers>,
) -> Result<Reply, Refusal> {
    let limit = page_size(filter.limit)?;
    let after = allowed.after::<UserId>(filter.cursor.as_deref())?;
    let db = &rooms.people.inner().db;
    let rows = store::members(db, &allowed, &MemberFilter::default(), after, limit + 1).await?;
    let rows = rows.into_iter().map(|member| member.person).collect();
    let cursor = |person: &Person| allowed.cursor(&[json!(person.id)]);
    Ok(Reply::of::<ListUsers>(&page(rows, limit, cursor, UserView::from))?)
}

pub async fn get(
    State(rooms): State<Rooms>,
    allowed: Allowed<GetUser>,
    Segment(user): Segment<UserId>,
) -> Result<Reply, Refusal> {
    let member = rooms.people.find_member(&allowed, user).await?;
    Ok(Reply::of::<GetUser>(&UserView::from(member.person))?)
}

pub async fn search(
    State(rooms): State<Rooms>,
    allowed: Allowed<SearchUsers>,
    Params(query): Params<SearchUsers>,
) -> Result<Reply, Refusal> {
    let limit = page_size(query.limit)?;
    let after = allowed.after::<UserId>(query.cursor.as_deref())?;
    let filter = store::UserFilter { status: query.status.map(UserStatus::name), q: query.q };
    let rows = store::users(&rooms.people.inner().db, &allowed, &filter, after, limit + 1).await?;
    let cursor = |person: &Person| allowed.cursor(&[json!(person.id)]);
    Ok(Reply::of::<SearchUsers>(&page(rows, limit, cursor, UserView::from))?)
}

pub async fn known(
    State(rooms): State<Rooms>,
    allowed: Allowed<GetKnown>,
    Segment(user): Segment<UserId>,
) -> Result<Reply, Refusal> {
    let known = rooms.people.known(&allowed, user).await?;
    Ok(Reply::of::<GetKnown>(&KnownView::from(known))?)
}

pub async fn suspend(
    State(rooms): State<Rooms>,
    allowed: Allowed<SuspendUser>,
    Segment(user): Segment<UserId>,
    Input(because): Input<SuspendUser>,
) -> Result<Reply, Refusal> {
    let reason = because.reason.as_deref();
    allowed.settle::<SuspendUser, _, _, _>(|| rooms.people.suspend_user(&allowed, user, reason)).await
}

pub async fn reactivate(
    State(rooms): State<Rooms>,
    allowed: Allowed<ReactivateUser>,
    Segment(user): Segment<UserId>,
) -> Result<Reply, Refusal> {
    allowed.settle::<ReactivateUser, _, _, _>(|| rooms.people.reactivate_user(&allowed, user)).await
}

pub async fn create(
    State(rooms): State<Rooms>,
    allowed: Allowed<CreateUser>,
    Input(new): Input<CreateUser>,
) -> Result<Reply, Refusal> {
    let entry = Entry {
        external_id: None,
        username: new.username,
        email: Some(new.email),
        display_name: new.display_name,
        roles: new.roles,
    };
    allowed.settle::<CreateUser, _, _, _>(|| rooms.people.create_user(&allowed, &entry)).await
}

pub async fn suspend_inside(
    State(rooms): State<Rooms>,
    allowed: Allowed<SuspendInside>,
    Segment(user): Segment<UserId>,
    Input(because): Input<SuspendInside>,
) -> Result<Reply, Refusal> {
    let reason = because.reason.as_deref();
    allowed.settle::<SuspendInside, _, _, _>(|| rooms.people.suspend_member(&allowed, user, reason)).await
}

pub async fn reactivate_inside(
    State(rooms): State<Rooms>,
    allowed: Allowed<ReactivateInside>,
    Segment(user): Segment<UserId>,
) -> Result<Reply, Refusal> {
    allowed.settle::<ReactivateInside, _, _, _>(|| rooms.people.reactivate_member(&allowed, user)).await
}

pub async fn import(
    State(rooms): State<Rooms>,
    allowed: Allowed<ImportUsers>,
    Input(import): Input<ImportUsers>,
) -> Result<Reply, Refusal> {
    let entries: Vec<Entry> = import.entries.into_iter().map(Entry::from).collect();
    let imported = rooms.people.import(&allowed, &import.provider, &entries).await;
    let sum_up = || async {
        let change = rooms.people.told_of_import(&allowed, &import.provider, &imported).await?;
        Ok::<_, PeopleError>(Decided::new(change, &imported[..]))
    };
    allowed.settle::<ImportUsers, _, _, _>(sum_up).await
}

impl From<ImportEntry> for Entry {
    fn from(entry: ImportEntry) -> Self {
        Self {
            external_id: Some(entry.external_id),
            username: entry.username,
            email: entry.email,
            display_name: entry.display_name,
            roles: entry.roles,
        }
    }
}

impl From<&[Imported]> for ImportView {
    fn from(imported: &[Imported]) -> Self {
        let outcomes: Vec<ImportOutcome> = imported.iter().map(ImportOutcome::from).collect();
        let count = |word| outcomes.iter().filter(|one| one.outcome == word).count();
        let (created, joined, linked) = (count("created"), count("joined"), count("linked"));
        let (unchanged, refused) = (count("unchanged"), count("refused"));
        Self { outcomes, created, joined, linked, unchanged, refused }
    }
}

impl From<&Imported> for ImportOutcome {
    fn from(imported: &Imported) -> Self {
        let external_id = imported.external_id.clone();
        match &imported.result {
            Ok((outcome, user)) => Self {
                external_id,
                outcome: match outcome {
                    Outcome::Created => "created",
                    Outcome::Joined => "joined",
                    Outcome::Linked => "linked",
                    Outcome::Unchanged => "unchanged",
                },
                user: Some(*user),
                code: None,
                detail: None,
            },
            Err(problem) => Self {
                external_id,
                outcome: "refused",
                user: None,
                code: Some(problem.code().name.to_owned()),
                detail: Some(problem.detail().to_owned()),
            },
        }
    }
}
