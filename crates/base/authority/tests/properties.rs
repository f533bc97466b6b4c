//! What holds for all permissions. Words are drawn from small sets so that cases meet each other often.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use proptest::prelude::*;
use safeconduct_authority::{Authority, Decision, Hop, Permission, Relation, Required, Selector, decide};

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn covering_is_reflexive(a in permission()) {
        prop_assert!(a.covers(&a));
    }

    #[test]
    fn covering_is_transitive(a in permission(), b in permission(), c in permission()) {
        // Meets make comparable triples likely: independent ones seldom are.
        let chain = [a.clone(), a.meet(&b).unwrap_or(a.clone()), a.meet(&b).and_then(|ab| ab.meet(&c)).unwrap_or(c)];
        let [a, b, c] = chain;
        if a.covers(&b) && b.covers(&c) {
            prop_assert!(a.covers(&c), "{a} {b} {c}");
        }
    }

    #[test]
    fn the_meet_is_the_greatest_that_both_cover(a in permission(), b in permission(), c in permission()) {
        match a.meet(&b) {
            Some(meet) => {
                prop_assert!(a.covers(&meet) && b.covers(&meet), "{meet}");
                prop_assert_eq!(a.covers(&c) && b.covers(&c), meet.covers(&c));
            }
            None => prop_assert!(!(a.covers(&c) && b.covers(&c)), "{a} and {b} both cover {c}"),
        }
        prop_assert_eq!(a.covers(&b), a.meet(&b).is_some_and(|meet| meet.covers(&b)));
    }

    #[test]
    fn a_set_of_one_decides_like_its_permission(a in permission(), b in permission()) {
        let set: Authority = [a.clone()].into_iter().collect();
        prop_assert_eq!(set.covers(&b), a.covers(&b));
    }

    #[test]
    fn the_index_finds_what_a_reading_of_all_finds(set in permissions(), asked in permission()) {
        let authority: Authority = set.iter().cloned().collect();
        prop_assert_eq!(authority.covers(&asked), covered_part_by_part(&set, &asked));
    }

    #[test]
    fn more_grants_never_allow_less(set in permissions(), more in permissions(), asked in permission()) {
        let few: Authority = set.iter().cloned().collect();
        let many: Authority = set.iter().chain(&more).cloned().collect();
        prop_assert!(few.is_subset_of(&many));
        prop_assert!(!few.covers(&asked) || many.covers(&asked));
    }

    #[test]
    fn subsets_are_transitive(a in permissions(), b in permissions(), c in permissions()) {
        let a: Authority = a.into_iter().collect();
        let b = a.intersect(&b.into_iter().collect());
        let c = b.intersect(&c.into_iter().collect());
        prop_assert!(c.is_subset_of(&b) && b.is_subset_of(&a) && c.is_subset_of(&a));
    }

    #[test]
    fn an_intersection_allows_what_both_allow(a in permissions(), b in permissions(), asked in permission()) {
        let (a, b): (Authority, Authority) = (a.into_iter().collect(), b.into_iter().collect());
        let both = a.intersect(&b);
        prop_assert!(both.is_subset_of(&a) && both.is_subset_of(&b));
        prop_assert_eq!(both.covers(&asked), a.covers(&asked) && b.covers(&asked));
        prop_assert_eq!(b.is_subset_of(&a), b.is_subset_of(&both));
    }

    #[test]
    fn a_set_is_minimal_and_loses_nothing(set in permissions()) {
        let authority: Authority = set.iter().cloned().collect();
        prop_assert!(set.iter().all(|permission| authority.covers(permission)));
        // What was held by name is so still.
        let named = |set: &[Permission]| -> Authority {
            set.iter().filter(|permission| !permission.has_wildcard()).cloned().collect()
        };
        prop_assert_eq!(named(&set), named(authority.permissions()));
        for (at, permission) in authority.permissions().iter().enumerate() {
            let mut others = authority.permissions().to_vec();
            others.remove(at);
            others.retain(|other| permission.has_wildcard() || !other.has_wildcard());
            prop_assert!(!others.into_iter().collect::<Authority>().covers(permission), "{permission} is covered");
        }
    }

    #[test]
    fn the_order_of_grants_does_not_matter(set in permissions()) {
        let forwards: Authority = set.iter().cloned().collect();
        let backwards: Authority = set.iter().rev().cloned().collect();
        prop_assert_eq!(forwards, backwards);
    }

    #[test]
    fn permissions_and_scopes_survive_writing_and_reading(a in permission(), set in permissions()) {
        prop_assert_eq!(a.to_string().parse::<Permission>().unwrap(), a);
        let authority: Authority = set.into_iter().collect();
        prop_assert_eq!(authority.to_scope_string().parse::<Authority>().unwrap(), authority);
    }

    #[test]
    fn no_text_upsets_the_parser(text in any::<String>(), near in "[a-z*.:/%0-9A-F ]{0,40}") {
        for text in [text, near] {
            if let Ok(permission) = text.parse::<Permission>() {
                prop_assert_eq!(permission.to_string().parse::<Permission>().unwrap(), permission);
            }
            let _ = text.parse::<Authority>();
        }
    }

    #[test]
    fn objects_survive_encoding(names in prop::collection::vec(any::<String>(), 1..4)) {
        let object = Selector::object(names.iter().map(String::as_str));
        prop_assert_eq!(object.is_err(), names.iter().any(String::is_empty));
        if let Ok(object) = object {
            let permission = Required::parse("state:read").on(object);
            if permission.to_string().len() <= safeconduct_authority::MAX_LENGTH {
                prop_assert_eq!(permission.to_string().parse::<Permission>().unwrap(), permission);
            }
        }
    }

    #[test]
    fn a_longer_chain_never_allows_more(a in permissions(), b in permissions(), scope in permissions(), own: bool, group: bool) {
        let (a, b): (Authority, Authority) = (a.into_iter().collect(), b.into_iter().collect());
        let scope: Authority = scope.into_iter().collect();
        let relation = Relation { own, group };
        let required = Required::parse("agents:update");
        let object = Selector::object(["a", "b"]).unwrap();
        let hops = [Hop { authority: &a, relation }, Hop { authority: &b, relation: Relation::default() }];
        let long = decide(&hops, Some(&scope), &required, &object);
        if long == Decision::Allowed {
            prop_assert!(decide(&hops[..1], Some(&scope), &required, &object).is_allowed());
            prop_assert!(decide(&hops, None, &required, &object).is_allowed());
        }
    }
}

fn permissions() -> impl Strategy<Value = Vec<Permission>> {
    prop::collection::vec(permission(), 0..6)
}

fn permission() -> impl Strategy<Value = Permission> {
    let resource =
        prop::sample::select(vec!["*", "agents", "agents", "credentials", "system", "titan.courses"]);
    let segment = prop::sample::select(vec!["a", "b", "*", "%2A", "a%20b"]);
    let path = prop_oneof![
        2 => Just(String::new()),
        5 => (prop::collection::vec(segment, 1..4), any::<bool>()).prop_map(|(path, rest)| {
            format!("/{}{}", path.join("/"), if rest { "/**" } else { "" })
        }),
    ];
    let actions = vec!["*", "read", "create", "update", "delete", "write", "manage", "execute", "kill"];
    let reach = prop::sample::select(vec!["", ":own", ":group", ":all"]);
    let parts = (resource, path, prop::sample::select(actions), reach);
    parts.prop_map(|(resource, path, action, reach)| {
        format!("{resource}{path}:{action}{reach}").parse().unwrap()
    })
}

/// The slow definition: each single action inside must be covered by one permission of the set.
fn covered_part_by_part(set: &[Permission], asked: &Permission) -> bool {
    let parts = match asked.action.name() {
        "write" => vec!["create", "update"],
        "manage" => vec!["read", "create", "update", "delete"],
        one => vec![one],
    };
    parts.into_iter().all(|action| {
        let part = Permission {
            action: format!("agents:{action}").parse::<Permission>().unwrap().action,
            ..asked.clone()
        };
        set.iter().any(|held| held.covers(&part))
    })
}
