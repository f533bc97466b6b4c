//! Each rule with the attack that it stops.

use serde_json::Map;
use types::{AuthProviderId, Id, OrgId, Timestamp, UserId, Uuid};

use super::*;
use crate::model::Source;

fn org(number: u128) -> OrgId {
    OrgId::from_uuid(Uuid::from_u128(number))
}

fn provider(owner: Owner) -> Provider {
    Provider {
        id: AuthProviderId::from_uuid(Uuid::from_u128(7)),
        owner,
        name: "staff".into(),
        display_name: "Staff".into(),
        kind: "oidc".into(),
        enabled: true,
        settings: Map::new(),
        has_secrets: false,
        default_roles: vec!["member".into()],
        create_users: true,
        allowed_domains: Vec::new(),
        group_roles: crate::model::GroupRoles::new(),
        trust_email: false,
        source: Source::Api,
        created_at: Timestamp::from_millis(0),
        updated_at: Timestamp::from_millis(0),
        revision: 1,
    }
}

fn person(email: &str) -> Person {
    Person {
        id: UserId::from_uuid(Uuid::from_u128(1)),
        username: None,
        email: Some(email.into()),
        email_verified: true,
        display_name: "Ada".into(),
        locale: None,
        active: true,
        created_at: Timestamp::from_millis(0),
        last_login_at: None,
        revision: 1,
    }
}

fn asserted(email: &str) -> Proven {
    Proven {
        identity: Some(("https://idp.example".into(), "42".into())),
        email: Some(email.into()),
        factor: "oidc".into(),
        ..Proven::default()
    }
}

fn known(by_email: Option<Person>) -> Known {
    Known { by_identity: None, by_email, domain_proved: false }
}

fn is_known(result: Result<Who, Reason>) -> Option<bool> {
    match result {
        Ok(Who::Known { link, .. }) => Some(link),
        _ => None,
    }
}

#[test]
fn asserting_somebodys_address_takes_nothing_over() {
    for owner in [Owner::Instance, Owner::Org(org(1))] {
        let victim = Some(person("ada@example.com"));
        let result = who(&provider(owner), &asserted("ada@example.com"), known(victim));
        assert_eq!(result, Err(Reason::EmailTaken), "{owner:?}");
    }
}

#[test]
fn trust_is_the_operators_and_reaches_instance_providers_only() {
    let victim = || known(Some(person("ada@example.com")));
    let mut trusted = provider(Owner::Instance);
    trusted.trust_email = true;
    assert_eq!(is_known(who(&trusted, &asserted("ada@example.com"), victim())), Some(true));
    let mut own = provider(Owner::Org(org(1)));
    own.trust_email = true;
    assert_eq!(who(&own, &asserted("ada@example.com"), victim()), Err(Reason::EmailTaken));
}

#[test]
fn a_proved_domain_links_inside_itself() {
    let own = provider(Owner::Org(org(1)));
    let mut inside = known(Some(person("ada@example.com")));
    inside.domain_proved = true;
    assert_eq!(is_known(who(&own, &asserted("ada@example.com"), inside)), Some(true));
    // The instance proves no domains: for its providers the flag means nothing.
    let mut instance = known(Some(person("ada@example.com")));
    instance.domain_proved = true;
    assert_eq!(
        who(&provider(Owner::Instance), &asserted("ada@example.com"), instance),
        Err(Reason::EmailTaken)
    );
}

#[test]
fn an_address_that_was_merely_asserted_is_not_kept() {
    let new = who(&provider(Owner::Org(org(1))), &asserted("ceo@example.com"), known(None));
    assert_eq!(new, Ok(Who::New { email: None }));
    let mut ours = asserted("ada@example.com");
    (ours.identity, ours.email_is_ours) = (None, true);
    let new = who(&provider(Owner::Instance), &ours, known(None));
    assert_eq!(new, Ok(Who::New { email: Some("ada@example.com".into()) }));
}

#[test]
fn a_linked_identity_finds_its_person_whatever_the_address_says_now() {
    let linked = Known {
        by_identity: Some(person("ada@example.com")),
        by_email: Some(person("bob@example.com")),
        domain_proved: false,
    };
    let result = who(&provider(Owner::Instance), &asserted("bob@example.com"), linked);
    assert!(
        matches!(result, Ok(Who::Known { person, link: false }) if person.email.as_deref() == Some("ada@example.com"))
    );
}

#[test]
fn nobody_is_made_where_the_provider_may_not() {
    let mut closed = provider(Owner::Instance);
    closed.create_users = false;
    assert_eq!(who(&closed, &asserted("ada@example.com"), known(None)), Err(Reason::UnknownPerson));
}

#[test]
fn allowed_domains_hold_for_the_known_and_the_new() {
    let mut narrow = provider(Owner::Instance);
    narrow.allowed_domains = vec!["example.com".into()];
    for address in
        ["ada@example.org", "ada@notexample.com", "ada@sub.example.com", "ada@example.com.evil.org"]
    {
        assert_eq!(who(&narrow, &asserted(address), known(None)), Err(Reason::OtherDomain), "{address}");
    }
    let mut nameless = asserted("ada@example.com");
    nameless.email = None;
    assert_eq!(who(&narrow, &nameless, known(None)), Err(Reason::OtherDomain));
    assert!(who(&narrow, &asserted("ada@example.com"), known(None)).is_ok());
}

#[test]
fn an_organizations_provider_leads_nowhere_else() {
    let of = [org(1), org(2)];
    assert_eq!(target(Owner::Org(org(2)), None, &of), Some(org(2)));
    assert_eq!(target(Owner::Org(org(2)), Some(org(1)), &of), None);
    assert_eq!(target(Owner::Org(org(3)), None, &of), None);
    assert_eq!(target(Owner::Instance, Some(org(3)), &of), None);
    assert_eq!(target(Owner::Instance, Some(org(2)), &of), Some(org(2)));
    assert_eq!(target(Owner::Instance, None, &of), Some(org(1)));
    assert_eq!(target(Owner::Instance, None, &[]), None);
}
