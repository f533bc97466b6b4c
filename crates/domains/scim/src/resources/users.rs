//! Users: the members of the organization. What they are elsewhere is not seen here.

use authority::Required;
use db::Change;
use people::{DirectoryEntry, Member, Profile};
use problem::Problem;
use serde_json::{Map, Value, json};
use types::{Email, GroupId, Id, UserId};
use web::{Allowance, Decided};

use super::{Shown, Write, bounded, envelope, meta, needed, part, put, text, values};
use crate::error::ScimError;
use crate::patch::read_whole;
use crate::query::{Projection, Query};
use crate::reply::Preconditions;
use crate::schema::{Attribute, Column, ResourceType};
use crate::service::Scim;

pub(crate) const READ: Required = Required::parse("members:read");

fn user_id(text: &str) -> Option<types::Uuid> {
    text.parse::<UserId>().ok().map(Id::uuid)
}

const LONGEST_NAME: usize = 200;
const LONGEST_USER_NAME: usize = 320;

pub(crate) static USER: ResourceType = ResourceType {
    name: "User",
    endpoint: "/Users",
    schema: "urn:ietf:params:scim:schemas:core:2.0:User",
    about: "A member of the organization.",
    common: &[
        Attribute::text("id", "Its id here.").read_only().always().exact().unique().column(Column::Id("m.user_id", user_id)),
        Attribute::text("externalId", "Its id in the directory.").exact().column(Column::Text("m.external_id")),
        Attribute::complex("meta", "About the resource.", &[
            Attribute::time("created", "When it became a member.").column(Column::Time("m.joined_at")),
        ])
        .read_only(),
    ],
    attributes: &[
        Attribute::text("userName", "What the directory calls it; unique in the organization. Nobody signs in by it.")
            .required()
            .unique()
            .column(Column::Text("coalesce(m.user_name, users.email, users.username)")),
        Attribute::complex("name", "The parts of the name.", &[
            Attribute::text("givenName", "First name.").column(Column::Text("m.given_name")),
            Attribute::text("familyName", "Last name.").column(Column::Text("m.family_name")),
        ]),
        Attribute::text("displayName", "The name as it is shown; made of `name` if it is not given at creation.")
            .required()
            .column(Column::Text("users.display_name")),
        Attribute::complex("emails", "The one address, inside a domain that the organization has proved.", &[
            Attribute::text("value", "The address.").required().column(Column::Text("users.email")),
            Attribute::text("type", "Always `work`.")
                .one_of(&["work"])
                .column(Column::Text("CASE WHEN users.email IS NULL THEN NULL ELSE 'work' END")),
            Attribute::flag("primary", "Always true.").column(Column::Flag("users.email IS NOT NULL")),
        ])
        .multi()
        .required(),
        Attribute::text("locale", "A language tag such as `de-AT`.").column(Column::Text("users.locale")),
        Attribute::flag("active", "May it act here? Without it every session ends and every token is void at once.")
            .required()
            .column(Column::Flag("(users.status = 'active' AND m.suspended_at IS NULL)")),
        Attribute::complex("roles", "Roles that it was given itself; the client must hold them.", &[
            Attribute::text("value", "The role's name.")
                .required()
                .exact()
                .one_of(&["owner", "admin", "curator", "member", "viewer", "auditor"])
                .column(Column::Text("grants.role")),
        ])
        .multi()
        .column(Column::Rows(
            "EXISTS (SELECT 1 FROM grants WHERE grants.org = m.org AND grants.principal = m.user_id AND grants.role <> '' AND",
        )),
        Attribute::complex("groups", "Groups that it is in; changed there.", &[
            Attribute::text("value", "The group's id.").read_only().exact(),
            Attribute::reference("$ref", "The group.", &["Group"]).read_only(),
            Attribute::text("display", "The group's name.").read_only(),
        ])
        .multi()
        .read_only(),
    ],
    not_kept: &[
        "nickName", "profileUrl", "title", "userType", "preferredLanguage", "timezone", "password", "phoneNumbers", "ims",
        "photos", "addresses", "entitlements", "x509Certificates", "name.formatted", "name.middleName",
        "name.honorificPrefix", "name.honorificSuffix", "emails.display",
    ],
};

impl Scim {
    pub(crate) async fn users(&self, by: &Allowance, query: &Query) -> Result<(Vec<Shown>, i64), Problem> {
        let search = query.search(&USER)?;
        let (members, total) = self.people.search_members(by, &READ, &search).await?;
        Ok((self.show_users(by, &members, &query.projection(&USER)).await?, total))
    }

    pub(crate) async fn user(
        &self,
        by: &Allowance,
        id: UserId,
        shown: &Projection,
    ) -> Result<Shown, Problem> {
        let member = self.people.find_member(by, id).await?;
        let mut one = self.show_users(by, std::slice::from_ref(&member), shown).await?;
        one.pop().ok_or_else(|| Problem::internal("a member that cannot be shown"))
    }

    pub(crate) async fn create_user(
        &self,
        by: &Allowance,
        body: &Value,
    ) -> Result<(Option<Change>, UserId), Problem> {
        let given = read_whole(&USER, body)?;
        let formatted = body.get("name").and_then(|name| name.get("formatted"));
        let Decided { change, answer } = self.people.provision(by, &new_profile(&given, formatted)?).await?;
        Ok((Some(change), answer))
    }

    pub(crate) async fn write_user(
        &self,
        by: &Allowance,
        id: UserId,
        how: &Write<'_>,
        only: &Preconditions,
    ) -> Result<Option<Change>, Problem> {
        let member = self.people.find_member(by, id).await?;
        only.hold(&version(&member))?;
        let before = self.show_user(&member, &[]);
        let after = how.applied(&USER, &before)?;
        let profile = profile(&member, &before, &after)?;
        Ok(self.people.reprovision(by, member, &profile).await?.0)
    }

    pub(crate) async fn delete_user(
        &self,
        by: &Allowance,
        id: UserId,
        only: &Preconditions,
    ) -> Result<Option<Change>, Problem> {
        let member = self.people.find_member(by, id).await?;
        only.hold(&version(&member))?;
        Ok(Some(self.people.remove_member(by, id, None).await?.change))
    }

    async fn show_users(
        &self,
        by: &Allowance,
        members: &[Member],
        shown: &Projection,
    ) -> Result<Vec<Shown>, Problem> {
        let ids: Vec<_> = members.iter().map(|member| member.person.id.uuid()).collect();
        let wanted = if shown.shows("groups") { ids.as_slice() } else { &[] };
        let groups = self.people.groups_of(by, wanted).await?;
        let show = |member: &Member| {
            let own: Vec<(GroupId, &str)> = groups
                .iter()
                .filter(|(principal, ..)| *principal == member.person.id.uuid())
                .map(|(_, group, name)| (*group, name.as_str()))
                .collect();
            let mut resource = self.show_user(member, &own);
            shown.cut(&USER, &mut resource);
            Shown { version: version(member), resource }
        };
        Ok(members.iter().map(show).collect())
    }

    fn show_user(&self, member: &Member, groups: &[(GroupId, &str)]) -> Map<String, Value> {
        let (person, entry) = (&member.person, &member.directory);
        let id = person.id.to_string();
        let mut user = envelope(&USER, id.clone(), entry.external_id.as_deref());
        user.insert("userName".into(), user_name(member).into());
        let mut name = Map::new();
        put(&mut name, "givenName", entry.given_name.as_deref());
        put(&mut name, "familyName", entry.family_name.as_deref());
        if !name.is_empty() {
            user.insert("name".into(), name.into());
        }
        put(&mut user, "displayName", Some(&person.display_name));
        if let Some(email) = &person.email {
            user.insert("emails".into(), json!([{ "value": email, "type": "work", "primary": true }]));
        }
        put(&mut user, "locale", person.locale.as_deref());
        user.insert("active".into(), member.acts().into());
        if !member.roles.is_empty() {
            let roles: Vec<Value> = member.roles.iter().map(|role| json!({ "value": role })).collect();
            user.insert("roles".into(), roles.into());
        }
        self.put_groups(&mut user, groups);
        let made = meta(&USER, &self.base, &id, &version(member), member.joined_at, None);
        user.insert("meta".into(), made);
        user
    }
}

fn version(member: &Member) -> String {
    let (membership, person) = member.revisions();
    format!("W/\"{membership}.{person}\"")
}

fn user_name(member: &Member) -> String {
    let named = [&member.directory.user_name, &member.person.email, &member.person.username];
    named.into_iter().flatten().next().cloned().unwrap_or_else(|| member.person.id.to_string())
}

fn new_profile(given: &Map<String, Value>, formatted: Option<&Value>) -> Result<Profile, ScimError> {
    let user_name = needed("userName", text(given, "userName", LONGEST_USER_NAME)?)?;
    let entry = entry(given, Some(user_name.clone()))?;
    let email = match email(given)? {
        None if user_name.contains('@') => address(&user_name)?,
        email => email,
    };
    if email.is_none() {
        return Err(ScimError::value(
            "emails",
            "needs an address inside a domain that the organization has proved",
        ));
    }
    let parts: Vec<&str> =
        [&entry.given_name, &entry.family_name].into_iter().flatten().map(String::as_str).collect();
    let names = [
        text(given, "displayName", LONGEST_NAME)?,
        bounded("name.formatted", formatted, LONGEST_NAME)?,
        Some(parts.join(" ")).filter(|name| !name.is_empty()),
    ];
    let display_name = names.into_iter().flatten().next();
    Ok(Profile {
        display_name: display_name.unwrap_or_else(|| user_name.chars().take(LONGEST_NAME).collect()),
        directory: entry,
        email,
        locale: locale(given)?,
        roles: values(given, "roles"),
        active: given.get("active").and_then(Value::as_bool).unwrap_or(true),
    })
}

fn profile(
    member: &Member,
    before: &Map<String, Value>,
    after: &Map<String, Value>,
) -> Result<Profile, ScimError> {
    let user_name = needed("userName", text(after, "userName", LONGEST_USER_NAME)?)?;
    // What is only shown because there is nothing else is not written down.
    let is_shown = before.get("userName").and_then(Value::as_str) == Some(&user_name);
    let user_name = if is_shown { member.directory.user_name.clone() } else { Some(user_name) };
    let email = email(after)?;
    if email.is_none() && member.person.email.is_some() {
        return Err(ScimError::value("emails", "needs an address"));
    }
    Ok(Profile {
        directory: entry(after, user_name)?,
        display_name: needed("displayName", text(after, "displayName", LONGEST_NAME)?)?,
        email,
        locale: locale(after)?,
        roles: values(after, "roles"),
        active: after
            .get("active")
            .and_then(Value::as_bool)
            .ok_or_else(|| ScimError::value("active", "is needed"))?,
    })
}

fn entry(resource: &Map<String, Value>, user_name: Option<String>) -> Result<DirectoryEntry, ScimError> {
    Ok(DirectoryEntry {
        user_name,
        external_id: text(resource, "externalId", LONGEST_NAME)?,
        given_name: part(resource, "name", "givenName", LONGEST_NAME)?,
        family_name: part(resource, "name", "familyName", LONGEST_NAME)?,
    })
}

/// The primary address, or else the last one that was named: one is kept.
fn email(resource: &Map<String, Value>) -> Result<Option<Email>, ScimError> {
    let items = resource.get("emails").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let primary = items.iter().find(|item| item["primary"] == true).or_else(|| items.last());
    match primary.and_then(|item| item["value"].as_str()) {
        Some(text) => address(text),
        None => Ok(None),
    }
}

fn address(text: &str) -> Result<Option<Email>, ScimError> {
    text.trim().parse().map(Some).map_err(|_| ScimError::value("emails", "must be an e-mail address"))
}

fn locale(resource: &Map<String, Value>) -> Result<Option<String>, ScimError> {
    let locale = text(resource, "locale", 64)?;
    let is_tag =
        |text: &String| text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'));
    match locale {
        Some(text) if !is_tag(&text) => {
            Err(ScimError::value("locale", "must be a language tag such as de-AT"))
        }
        locale => Ok(locale),
    }
}
