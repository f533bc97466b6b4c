//! Questions that nobody acts on: what would be answered if this principal did that.

use authority::{Decision, Hop, Permission, Relation, Required, Selector};
use problem::Problem;
use rego::Term;
use serde_json::Value;
use types::{GroupId, OrgId};
use web::{Object, PrincipalId};

use crate::PolicyError;
use crate::in_force::{Layers, Own, ask};
use crate::input::{Asked, Setting, context, document};
use crate::model::Answer;
use crate::service::Inner;

/// Who would do what to which object.
pub(crate) struct Hypothesis<'a> {
    pub(crate) who: PrincipalId,
    /// Its resource and action count.
    pub(crate) permission: &'a Permission,
    pub(crate) operation: Option<&'a str>,
    /// `namespace/name` or an id; none for "some object".
    pub(crate) selector: Option<&'a str>,
    /// What is known of the object; `owner` says whose it is.
    pub(crate) attributes: Option<&'a Value>,
    pub(crate) arguments: Option<&'a Value>,
    /// Members that stand in for those of `context`.
    pub(crate) context: Option<&'a Value>,
}

/// What the rules would be asked.
pub(crate) struct Posed {
    pub(crate) slice: String,
    pub(crate) input: Term,
}

impl Inner {
    /// Whether the permissions allow it; a principal that does not stand may do nothing.
    pub(crate) async fn permits(&self, org: OrgId, asked: &Hypothesis<'_>) -> Result<bool, Problem> {
        if let PrincipalId::Agent(id) = asked.who {
            let standing = self.agents.standing(id).await?;
            let stands = standing
                .is_some_and(|standing| standing.org == org && standing.status == agents::Status::Active);
            if !stands {
                return Ok(false);
            }
        }
        let holding = self.access.holding(org, asked.who).await?;
        let grants = &holding.authority;
        let required = required(asked.permission);
        let Some(selector) = asked.selector else { return Ok(grants.grants_for(&required).next().is_some()) };
        let Ok(selector) = Selector::object(selector.split('/')) else { return Ok(false) };
        let group = asked.group().is_some_and(|group| holding.groups.contains(&group));
        let hop = Hop { authority: grants, relation: Relation { own: asked.is_own(), group } };
        Ok(authority::decide(&[hop], None, &required, &selector) == Decision::Allowed)
    }

    pub(crate) async fn pose(&self, org: OrgId, asked: &Hypothesis<'_>) -> Result<Option<Posed>, Problem> {
        let portrait = self.portrait(org, asked.who).await?;
        let now = self.world.now();
        let setting = Setting {
            principal: portrait.term.clone(),
            chain: Term::list([]),
            token: Term::NULL,
            context: with_members(context(now, None, self.settings.env), asked.context),
            links: vec![asked.who.uuid()],
        };
        let required = required(asked.permission);
        let own = asked.is_own().then(|| asked.who.uuid());
        let group = asked.group();
        let object = asked.selector.map(|selector| Object {
            selector: selector.into(),
            owner: own,
            group,
            ..Object::default()
        });
        let asked = Asked {
            operation: asked.operation.unwrap_or_default(),
            required: Some(&required),
            object: object.as_ref(),
            attributes: asked.attributes,
            arguments: asked.arguments,
        };
        Ok(document(&setting, &asked).map(|input| Posed { slice: asked.slice(), input }))
    }

    /// What the rules in force say; nothing to say costs nothing.
    pub(crate) async fn rule_on(&self, org: OrgId, asked: &Hypothesis<'_>) -> Result<Answer, PolicyError> {
        let (files, own) = (self.files.layer(), self.own(org).await?);
        if files.is_none() && matches!(own, Own::None) {
            return Ok(Answer::default());
        }
        let Some(posed) = self.pose(org, asked).await? else { return Ok(too_large()) };
        let own = match own {
            Own::Broken(why) => return Ok(Answer { failure: Some(why.to_string()), ..Answer::default() }),
            Own::Rules(layer) => Some(layer),
            Own::None => None,
        };
        Ok(ask(Layers { files, own }.about(&posed.slice), &posed.slice, &posed.input))
    }
}

impl Hypothesis<'_> {
    fn group(&self) -> Option<GroupId> {
        self.attributes?.get("group")?.as_str()?.parse().ok()
    }

    fn is_own(&self) -> bool {
        let who = self.who.to_string();
        let owner = self.attributes.and_then(|attributes| attributes.get("owner")).and_then(Value::as_str);
        owner == Some(&who) || self.selector == Some(&who)
    }
}

pub(crate) fn too_large() -> Answer {
    Answer {
        failure: Some("what was asked is larger than policies are asked about".into()),
        ..Answer::default()
    }
}

pub(crate) fn required(permission: &Permission) -> Required {
    Required { resource: permission.resource.clone(), action: permission.action.clone() }
}

fn with_members(term: Term, members: Option<&Value>) -> Term {
    let Some(Value::Object(members)) = members else { return term };
    let mut merged = term.to_json();
    if let Value::Object(merged) = &mut merged {
        merged.extend(members.iter().map(|(name, value)| (name.clone(), value.clone())));
    }
    Term::json(&merged).unwrap_or(term)
}

/// Things of the house by kind, for those who ask which of them somebody reaches.
pub trait Things: Send + Sync {
    /// All things of a resource (`agents`, `functions`, `users`); `None` for a kind that nobody lists.
    fn all<'a>(
        &'a self,
        scope: &'a db::OrgScope,
        resource: &'a str,
    ) -> futures::future::BoxFuture<'a, Result<Option<Vec<Thing>>, Problem>>;
}

/// As far as rights depend on it.
#[derive(Clone, Debug)]
pub struct Thing {
    /// `namespace/name`, or the id.
    pub selector: String,
    /// Typed id, where it is a principal.
    pub id: Option<String>,
    /// Typed id of whom it belongs to.
    pub owner: Option<String>,
}
