//! The bus on real servers: what two nodes share, a hundred who change one value, a server that goes and comes back.

use std::time::{Duration, Instant};

use safeconduct_bus::{Bus, BusError, BusSettings};
use testing::{BusKind, BusServer};
use types::{Secret, World};

const KINDS: [BusKind; 2] = [BusKind::Redis, BusKind::Nats];

async fn open(url: &str, prefix: &str) -> Result<Bus, BusError> {
    let url = Some(Secret::new(url.to_owned()));
    let settings = BusSettings { url, prefix: prefix.to_owned(), patience: Duration::from_secs(10) };
    Bus::open(&settings, World::system()).await
}

fn longer(seen: Option<&[u8]>) -> Vec<u8> {
    [seen.unwrap_or_default(), b"x"].concat()
}

#[tokio::test]
async fn nodes_share_values_and_installations_do_not() {
    for kind in KINDS {
        let server = BusServer::start(kind);
        let (one, two) =
            (open(&server.url(), "ours").await.unwrap(), open(&server.url(), "ours").await.unwrap());
        let other = open(&server.url(), "theirs").await.unwrap();
        assert_eq!(one.get(&[7; 32]).await, None);
        assert_eq!(one.change(&[7; 32], longer).await, b"x");
        assert_eq!(two.change(&[7; 32], longer).await, b"xx");
        assert_eq!(one.get(&[7; 32]).await.as_deref(), Some(b"xx".as_slice()), "{kind:?}");
        assert_eq!(other.get(&[7; 32]).await, None, "{kind:?}");
        two.remove(&[7; 32]).await;
        assert_eq!(one.get(&[7; 32]).await, None);
        assert_eq!(one.change(&[7; 32], longer).await, b"x", "{kind:?}: begins anew");
    }
}

#[tokio::test]
async fn a_hundred_who_change_one_value_are_all_counted() {
    for kind in KINDS {
        let server = BusServer::start(kind);
        let nodes = [open(&server.url(), "ours").await.unwrap(), open(&server.url(), "ours").await.unwrap()];
        let racers = (0..100).map(|number| nodes[number % 2].change(&[1; 32], longer));
        futures::future::join_all(racers).await;
        assert_eq!(nodes[0].get(&[1; 32]).await.map(|value| value.len()), Some(100), "{kind:?}");
    }
}

#[tokio::test]
async fn a_node_goes_on_by_itself_while_the_bus_is_away_and_comes_back_by_itself() {
    for kind in KINDS {
        let mut server = BusServer::start(kind);
        let bus = open(&server.url(), "ours").await.unwrap();
        let state = bus.state();
        bus.change(&[1; 32], longer).await;
        server.kill();
        assert_eq!(bus.change(&[1; 32], longer).await, b"x", "{kind:?}: the node's own count begins");
        assert_eq!(bus.change(&[1; 32], longer).await, b"xx");
        assert_eq!((bus.state(), *bus.is_up().borrow()), ("down", false));
        server.resume();
        let until = Instant::now() + Duration::from_secs(30);
        while bus.state() == "down" {
            assert!(Instant::now() < until, "{kind:?} is not found again");
            bus.sweep().await;
            tokio::task::yield_now().await;
        }
        assert_eq!(bus.state(), state);
        bus.change(&[1; 32], longer).await;
        let other = open(&server.url(), "ours").await.unwrap();
        assert_eq!(other.get(&[1; 32]).await.as_deref(), Some(b"x".as_slice()), "{kind:?}");
    }
}

#[tokio::test]
async fn a_bus_that_is_not_there_stops_the_start() {
    for url in ["http://127.0.0.1:1", "127.0.0.1:6379", ""] {
        assert!(matches!(open(url, "ours").await, Err(BusError::Scheme)), "{url}");
    }
    for url in ["redis://127.0.0.1:1", "nats://127.0.0.1:1"] {
        let settings = BusSettings {
            url: Some(Secret::new(url.to_owned())),
            prefix: "ours".to_owned(),
            patience: Duration::ZERO,
        };
        assert!(Bus::open(&settings, World::system()).await.is_err(), "{url}");
    }
}
