//! Every fact gets its place: once, in order, without gaps, whoever leads.

use testing::on_both_databases;

use crate::ledger::VerifyFrom;
use crate::node::{Node, new_org, scope};

on_both_databases! {
    async fn facts_get_places_without_gaps(database: TestDatabase) {
        let node = Node::start(&database).await;
        let (one, other) = (new_org(), new_org());
        let first = node.record(one, 3).await;
        node.record(other, 2).await;
        let last = node.record(one, 2).await;

        let mut follow = node.ledger.follow(&scope(one), 0);
        let events = follow.next().await.unwrap();
        let ids: Vec<_> = events.iter().map(|event| event.id).collect();
        assert_eq!(ids, [first, last].concat());
        assert_eq!(events.iter().map(|event| event.org_seq).collect::<Vec<_>>(), [1, 2, 3, 4, 5]);
        assert_eq!(events.iter().map(|event| event.seq).collect::<Vec<_>>(), [0, 1, 2, 5, 6]);
        let progress = node.ledger.progress();
        assert_eq!((progress.size, progress.checkpoint), (7, 7));
        for org in [one, other] {
            let found = node.ledger.verify(&scope(org), VerifyFrom::Start, None).await.unwrap();
            assert!(found.verified, "{found:?}");
        }
        let found = node.ledger.verify_log(VerifyFrom::Start).await.unwrap();
        assert!(found.verified, "{found:?}");
        node.stop().await;
    }
}
