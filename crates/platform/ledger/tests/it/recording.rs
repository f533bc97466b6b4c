//! What becomes of a fact on its way into the table: its canonical private part, its seal, its sums.

use std::time::Duration;

use serde_json::{Value, json};
use testing::on_both_databases;

use crate::ledger::{Ack, Actor, Event, Fact, LedgerError, LedgerSettings, Outcome};
use crate::node::{AGENT_CREATED, Node, SIGN_IN_REFUSED, created, new_org, scope};

async fn events(node: &Node, org: types::OrgId) -> Vec<Event> {
    node.ledger.drain().await.unwrap();
    let newest = node.ledger.newest(&scope(org)).await.unwrap();
    let mut follow = node.ledger.follow(&scope(org), 0);
    let mut all = Vec::new();
    while (all.len() as u64) < newest {
        all.extend(follow.next().await.unwrap());
    }
    all
}

fn refusal(org: types::OrgId, target: &str) -> Fact {
    Fact::new(&SIGN_IN_REFUSED, org, Actor::anonymous("someone"))
        .outcome(Outcome::Denied)
        .target("user", target, target)
        .data(json!({"reason": "wrong password"}))
}

on_both_databases! {
    async fn a_fact_reads_back_as_it_was_stated(database: TestDatabase) {
        let node = Node::start(&database).await;
        let org = new_org();
        let fact = node.ledger.append(created(org, "reporter").outcome(Outcome::Failure)).await.unwrap();
        node.ledger.drain().await.unwrap();
        let event = node.ledger.event(&scope(org), fact).await.unwrap().unwrap();
        assert_eq!((event.kind.as_str(), event.outcome.name(), event.severity.name()), ("agent.created", "failure", "notice"));
        assert_eq!((event.actor.display.as_str(), event.act.len()), ("Ada Lovelace", 2));
        assert_eq!(event.on_behalf_of.as_ref().unwrap().display, "Grace Hopper");
        assert_eq!(event.ip.unwrap().to_string(), "192.0.2.7");
        assert_eq!(event.user_agent.as_deref(), Some("curl/8 \"quoted\" ünï"));
        let target = event.target.as_ref().unwrap();
        assert_eq!((target.kind.as_str(), target.id.as_str(), target.name.as_str()), ("agent", "agt_reporter", "reporter"));
        assert_eq!(Value::from(event.data.clone()), json!({"name": "reporter", "roles": ["reader", "writer"]}));
        assert!(event.jti.is_some() && event.txn.is_some() && event.credential.is_some() && event.run.is_some());
        assert!(event.request.is_some() && event.cause.is_some() && event.repeated.is_none());

        // The bytes that were hashed are canonical, as the canonicalizer of another house writes them.
        let proof = node.ledger.prove(&scope(org), fact).await.unwrap();
        for text in [proof.clear.unwrap(), proof.private.unwrap()] {
            let value: Value = serde_json::from_str(&text).unwrap();
            assert_eq!(String::from_utf8(crypto::jcs::to_vec(&value).unwrap()).unwrap(), text);
        }
        // Nothing private lies in the open.
        let hand = database.tamper().await;
        let row = hand.rows("SELECT * FROM facts").await.concat().into_iter().flatten().collect::<Vec<_>>().join("|");
        for private in ["Lovelace", "Hopper", "192.0.2.7", "curl", "writer"] {
            assert!(!row.contains(private) && !row.contains(&hex::encode(private)), "{private}");
        }
        node.stop().await;
    }

    async fn equal_facts_do_not_look_equal(database: TestDatabase) {
        let node = Node::start(&database).await;
        let org = new_org();
        let fact = || Fact::new(&AGENT_CREATED, org, Actor::system("test")).data(json!({"name": "a", "roles": []}));
        let (one, two) = (node.ledger.seal(fact()).await.unwrap(), node.ledger.seal(fact()).await.unwrap());
        assert_ne!(one.private_hash, two.private_hash, "the salt keeps guesses from being confirmed");
        node.stop().await;
    }

    async fn data_that_was_not_declared_is_refused(database: TestDatabase) {
        let node = Node::start(&database).await;
        let org = new_org();
        for data in [json!({"name": "a"}), json!({"name": "a", "roles": [], "more": 1}), json!([]), json!({"name": 1, "roles": []})] {
            let fact = Fact::new(&AGENT_CREATED, org, Actor::system("test")).data(data.clone());
            let refused = node.ledger.append(fact).await;
            assert!(matches!(refused, Err(LedgerError::Schema { kind: "agent.created", .. })), "{data}");
        }
        assert!(events(&node, org).await.is_empty());
        node.stop().await;
    }

    async fn large_data_is_kept_by_its_hash(database: TestDatabase) {
        let node = Node::start(&database).await;
        let org = new_org();
        let fits = json!({"name": "a".repeat(32 * 1024 - 22), "roles": []});
        let large = json!({"name": "a".repeat(32 * 1024 - 21), "roles": []});
        for data in [&fits, &large] {
            let fact = Fact::new(&AGENT_CREATED, org, Actor::system("test")).data((*data).clone());
            node.ledger.append(fact).await.unwrap();
        }
        let events = events(&node, org).await;
        assert_eq!(Value::from(events[0].data.clone()), fits);
        assert!(events[0].data_hash.is_none() && events[1].data.is_empty());
        let canonical = crypto::jcs::to_vec(&large).unwrap();
        let hash = events[1].data_hash.as_ref().unwrap();
        assert_eq!(hash.bytes, canonical.len() as u64);
        assert_eq!(hash.sha256, hex::encode(crypto::hash::sha256(&canonical)));
        node.stop().await;
    }

    /// The first in full, then one a minute with a count; who was quiet for a minute begins anew.
    async fn anonymous_repetitions_are_summed_up(database: TestDatabase) {
        let node = Node::start(&database).await;
        let org = new_org();
        for last in 0..50 {
            let ip = format!("198.51.100.{last}").parse().unwrap();
            node.ledger.refuse(refusal(org, "ada"), ip).await.unwrap();
        }
        node.ledger.refuse(refusal(org, "ada"), "203.0.113.9".parse().unwrap()).await.unwrap();
        node.ledger.refuse(refusal(org, "bob"), "198.51.100.1".parse().unwrap()).await.unwrap();
        let first = events(&node, org).await;
        assert_eq!(first.len(), 3, "one per prefix and target");
        assert!(first.iter().all(|event| event.repeated.is_none()));

        node.clock.advance(Duration::from_secs(61));
        let second = events(&node, org).await;
        let sums: Vec<_> = second[3..].iter().map(|event| event.repeated.clone().unwrap()).collect();
        assert_eq!((sums.len(), sums[0].count, sums[0].source.as_str()), (1, 49, "198.51.100.0/24"));
        assert_eq!(second[3].target.as_ref().unwrap().id, "ada");
        assert_eq!((second[3].ip, second[3].outcome), (None, Outcome::Denied));

        // Still at it: only counted. Then a quiet minute, and the next one is told in full.
        node.ledger.refuse(refusal(org, "ada"), "198.51.100.1".parse().unwrap()).await.unwrap();
        assert_eq!(events(&node, org).await.len(), 4);
        node.clock.advance(Duration::from_secs(61));
        assert_eq!(events(&node, org).await[4].repeated.as_ref().unwrap().count, 1);
        node.clock.advance(Duration::from_secs(61));
        assert_eq!(events(&node, org).await.len(), 5);
        node.ledger.refuse(refusal(org, "ada"), "198.51.100.1".parse().unwrap()).await.unwrap();
        assert_eq!(events(&node, org).await.len(), 6);
        node.stop().await;
    }

    /// One source cannot make facts without end by naming other targets, and a clock that jumps back loses nothing.
    async fn a_source_has_a_budget(database: TestDatabase) {
        let settings = LedgerSettings { anonymous_budget: 5, ..LedgerSettings::default() };
        let node = Node::start_with(&database, settings).await;
        let org = new_org();
        for number in 0..1_000 {
            let target = format!("user-{number}");
            node.ledger.refuse(refusal(org, &target), "2001:db8::1".parse().unwrap()).await.unwrap();
        }
        assert_eq!(events(&node, org).await.len(), 5);
        node.clock.jump_back(Duration::from_secs(7200));
        let events = events(&node, org).await;
        assert_eq!(events.len(), 6);
        let sum = events[5].repeated.as_ref().unwrap();
        assert_eq!((sum.count, sum.source.as_str(), events[5].target.is_none()), (995, "2001:db8::/64", true));
        node.stop().await;
    }

    async fn allowed_decisions_are_one_fact_a_minute(database: TestDatabase) {
        let node = Node::start(&database).await;
        let org = new_org();
        for subject in ["tok_1", "tok_2", "tok_1"] {
            node.ledger.tally(&refusal(org, "read").outcome(Outcome::Success), subject);
        }
        assert!(events(&node, org).await.is_empty());
        node.clock.advance(Duration::from_secs(61));
        let mut sums: Vec<_> = events(&node, org).await.into_iter().map(|event| event.repeated.unwrap()).collect();
        sums.sort_by_key(|sum| sum.count);
        assert_eq!(sums.iter().map(|sum| (sum.source.as_str(), sum.count)).collect::<Vec<_>>(), [("tok_2", 1), ("tok_1", 2)]);
        node.stop().await;
    }

    async fn counts_survive_the_end_of_the_server(database: TestDatabase) {
        let org = new_org();
        let node = Node::start(&database).await;
        for _ in 0..10 {
            node.ledger.refuse(refusal(org, "ada"), "198.51.100.1".parse().unwrap()).await.unwrap();
        }
        node.stop().await;
        let node = Node::start(&database).await;
        let events = events(&node, org).await;
        assert_eq!(events[1].repeated.as_ref().unwrap().count, 9);
        node.stop().await;
    }

    async fn nobody_waits_with_a_fast_ack(database: TestDatabase) {
        let settings = LedgerSettings { ack: Ack::Fast, ..LedgerSettings::default() };
        let node = Node::silent(&database, settings).await;
        let org = new_org();
        // Nothing runs that could write, and still it returns.
        let fact = node.ledger.append(created(org, "agent")).await.unwrap();
        assert_eq!(database.tamper().await.number("SELECT count(*) FROM facts").await, 0);
        let node = node.wake();
        assert_eq!(events(&node, org).await[0].id, fact);
        node.stop().await;
    }

    async fn a_follower_hears_what_comes(database: TestDatabase) {
        let node = Node::start(&database).await;
        let (org, other) = (new_org(), new_org());
        let facts = node.record(org, 2).await;
        let mut follow = node.ledger.follow(&scope(org), 1);
        assert_eq!(follow.next().await.unwrap()[0].id, facts[1]);
        let next = async { follow.next().await.unwrap() };
        let write = async {
            node.record(other, 1).await;
            node.record(org, 1).await
        };
        let (heard, written) = tokio::join!(next, write);
        assert_eq!(heard.iter().map(|event| event.id).collect::<Vec<_>>(), written);
        node.stop().await;
    }
}
