//! What a token lets through: never more than its subject holds.

use std::collections::HashMap;
use std::sync::Arc;

use authority::{Authority, Permission, Required, Selector};
use parking_lot::RwLock;
use web::PrincipalId;

use crate::error::OAuthError;

/// The longest scope, asked for or written out, in bytes.
pub(crate) const LONGEST: usize = 4096;
/// Principals whose written-out scope is kept.
const MOST: usize = 50_000;

/// The scope of a token to be, and whether it is less than what was asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Granted {
    pub(crate) text: Arc<str>,
    pub(crate) narrowed: bool,
}

/// Writes scopes; remembers the text of whole authorities, since agents mostly ask for all they have.
#[derive(Default)]
pub(crate) struct Scopes {
    written: RwLock<HashMap<PrincipalId, Written>>,
}

/// An authority and its text.
type Written = (Arc<Authority>, Arc<str>);

impl Scopes {
    /// RFC 6749 §3.3. Nothing asked: everything held. Too much asked: what is held of it, or with `strict` a refusal.
    pub(crate) fn grant(
        &self,
        principal: PrincipalId,
        held: &Arc<Authority>,
        asked: Option<&str>,
        strict: bool,
    ) -> Result<Granted, OAuthError> {
        match asked {
            None => Ok(Granted { text: self.all(principal, held)?, narrowed: false }),
            Some(asked) => narrow(held, asked, strict),
        }
    }

    fn all(&self, principal: PrincipalId, held: &Arc<Authority>) -> Result<Arc<str>, OAuthError> {
        if let Some((of, text)) = self.written.read().get(&principal)
            && Arc::ptr_eq(of, held)
        {
            return Ok(text.clone());
        }
        let text: Arc<str> = fitting(held.to_scope_string())?.into();
        let mut written = self.written.write();
        if written.len() >= MOST {
            written.clear();
        }
        written.insert(principal, (held.clone(), text.clone()));
        Ok(text)
    }
}

fn narrow(held: &Authority, asked: &str, strict: bool) -> Result<Granted, OAuthError> {
    if asked.len() > LONGEST {
        return Err(OAuthError::InvalidScope("the scope is longer than 4 KB; ask for less".into()));
    }
    let asked: Authority = asked
        .parse()
        .map_err(|error: authority::InvalidPermission| OAuthError::InvalidScope(error.to_string().into()))?;
    let missing = asked.permissions().iter().find(|permission| !holds(held, permission));
    if let (Some(missing), true) = (missing, strict) {
        return Err(OAuthError::InvalidScope(format!("{missing} is not held; ask for what is held").into()));
    }
    let granted = held.intersect(&asked);
    if granted.is_empty() {
        return Err(OAuthError::InvalidScope("nothing of what was asked for is held".into()));
    }
    Ok(Granted { text: fitting(granted.to_scope_string())?.into(), narrowed: missing.is_some() })
}

/// A permission without a reach asks for it as far as the grants go.
fn holds(held: &Authority, permission: &Permission) -> bool {
    match permission.reach {
        Some(_) => held.covers(permission),
        None => held.widest_reach(&permission.resource, &permission.action, &permission.selector).is_some(),
    }
}

fn fitting(text: String) -> Result<String, OAuthError> {
    if text.len() <= LONGEST {
        return Ok(text);
    }
    Err(OAuthError::InvalidScope(
        "everything held does not fit into 4 KB; name the permissions that you need".into(),
    ))
}

/// Everything held, and by name what people must step up for: a person who signed a machine in may do there what needs a
/// permission without wildcards. `by_name` are the requirements of such operations.
pub(crate) fn spell_out(held: &Authority, by_name: &[Required]) -> Authority {
    let every = Selector::every();
    let named = by_name.iter().filter_map(|required| {
        let reach = held.reach_for(required, &every)?;
        Some(Permission { reach: Some(reach), ..required.on(every.clone()) })
    });
    held.permissions().iter().cloned().chain(named).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use types::World;

    use super::*;

    fn held(scope: &str) -> Arc<Authority> {
        Arc::new(scope.parse().unwrap())
    }

    fn grant(of: &str, asked: Option<&str>, strict: bool) -> Result<Granted, OAuthError> {
        let agent = PrincipalId::Agent(World::system().id());
        Scopes::default().grant(agent, &held(of), asked, strict)
    }

    fn granted(of: &str, asked: &str) -> (String, bool) {
        let granted = grant(of, Some(asked), false).unwrap();
        (granted.text.to_string(), granted.narrowed)
    }

    #[test]
    fn nothing_asked_is_everything_held_minus_what_others_cover() {
        let all = grant("agents:manage:all agents:read:own runs:read:all", None, true).unwrap();
        assert_eq!((&*all.text, all.narrowed), ("agents:manage:all runs:read:all", false));
        assert_eq!(&*grant("", None, true).unwrap().text, "");
    }

    #[test]
    fn asking_too_much_gives_what_is_held() {
        for (of, asked, given, narrowed) in [
            ("agents:manage:all", "agents:read", "agents:read", false),
            ("agents:read:own", "agents:read", "agents:read:own", false),
            ("agents:read:own", "agents:read:all", "agents:read:own", true),
            ("agents:read:all", "agents:read agents:delete", "agents:read:all", true),
            ("agents/ops/*:read:all", "agents:read", "agents/ops/*:read:all", true),
            ("*:*:all", "agents:create", "agents:create", false),
        ] {
            assert_eq!(granted(of, asked), (given.to_owned(), narrowed), "{of} | {asked}");
        }
    }

    #[test]
    fn strict_refuses_and_nothing_is_never_given() {
        assert!(matches!(
            grant("agents:read:own", Some("agents:read:all"), true),
            Err(OAuthError::InvalidScope(_))
        ));
        assert!(grant("agents:read:own", Some("agents:read"), true).is_ok());
        for asked in ["runs:read", "agents:delete", "system:read", "no scope", "agents", "a\u{0}b:read"] {
            assert!(
                matches!(grant("agents:read:all", Some(asked), false), Err(OAuthError::InvalidScope(_))),
                "{asked}"
            );
        }
    }

    #[test]
    fn more_than_4_kb_is_too_much_in_either_direction() {
        let many: Vec<String> =
            (0..200).map(|number| format!("agents/namespace/agent-{number}:read:all")).collect();
        let many = many.join(" ");
        assert!(many.len() > LONGEST);
        assert!(
            matches!(grant(&many, None, false), Err(OAuthError::InvalidScope(text)) if text.contains("4 KB"))
        );
        assert!(matches!(grant("agents:read:all", Some(&many), false), Err(OAuthError::InvalidScope(_))));
        assert_eq!(granted(&many, "agents/namespace/agent-7:read").0, "agents/namespace/agent-7:read");
    }

    #[test]
    fn the_written_text_follows_the_grants() {
        let scopes = Scopes::default();
        let agent = PrincipalId::Agent(World::system().id());
        let text = |held: &Arc<Authority>| scopes.grant(agent, held, None, false).unwrap().text;
        let (before, after) = (held("agents:read:all"), held("runs:read:all"));
        assert!(Arc::ptr_eq(&text(&before), &text(&before)));
        assert_eq!(&*text(&after), "runs:read:all");
        assert_eq!(&*text(&before), "agents:read:all");
    }

    #[test]
    fn spelling_out_names_what_needs_a_name_and_gives_nothing_new() {
        let by_name: Vec<Required> =
            ["agents:create", "agents:kill", "runs:read", "system:update"].map(Required::parse).into();
        let spelled = spell_out(&held("*:*:all"), &by_name);
        assert_eq!(spelled.to_scope_string(), "*:*:all agents:create:all agents:kill:all runs:read:all");
        assert!(by_name[..3].iter().all(|required| spelled.spells_out(required)));
        assert!(!spelled.spells_out(&Required::parse("agents:delete")));

        let member = held("agents:*:own agents/ops/*:delete:all credentials:write:own");
        let spelled = spell_out(&member, &by_name);
        assert!(spelled.is_subset_of(&member));
        let text =
            "agents/ops/*:delete:all agents:*:own agents:create:own agents:kill:own credentials:write:own";
        assert_eq!(spelled.to_scope_string(), text);
    }

    #[test]
    fn whoever_holds_a_role_can_give_it_by_token_and_nobody_gets_more_by_it() {
        let by_name: Vec<Required> =
            ["agents:create", "api_keys:read", "users:create"].map(Required::parse).into();
        for role in access::BUILT_IN {
            let held = role.authority();
            let token: Authority = spell_out(&held, &by_name).to_scope_string().parse().unwrap();
            assert!(held.is_subset_of(&token) && token.is_subset_of(&held), "{}", role.name);
        }
    }

    proptest! {
        #[test]
        fn a_token_never_holds_more_than_its_subject(
            of in "(agents|runs|\\*)(/ops/[a-z*]{1})?:(read|write|manage|\\*)(:own|:all)?( runs:read:own)?",
            asked in "(agents|runs|\\*)(/ops/[a-z*]{1})?:(read|create|manage|\\*)(:own|:all)?( agents:delete)?",
        ) {
            if let Ok(granted) = grant(&of, Some(&asked), false) {
                let granted: Authority = granted.text.parse().unwrap();
                prop_assert!(granted.is_subset_of(&held(&of)));
                prop_assert!(granted.is_subset_of(&held(&asked)));
            }
        }
    }
}
