//! The store against real files and both databases.
#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot be set up has failed")]

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use db::{Change, Db, FactRow, OrgScope};
use proptest::prelude::*;
use safeconduct_blobs::{BlobError, BlobSettings, Blobs};
use secrets::{KeySource, Keyring};
use testing::TestDatabase;
use types::{FactId, OrgId, RunId, Secret, SteeredClock, SystemEntropy, World};

const DAY: Duration = Duration::from_secs(24 * 3600);

struct House {
    db: Db,
    blobs: Blobs,
    keyring: Keyring,
    world: World,
    clock: Arc<SteeredClock>,
    root: PathBuf,
    scope: OrgScope,
}

async fn house(database: &TestDatabase) -> House {
    let clock = Arc::new(SteeredClock::default());
    let world = World::new(clock.clone(), Arc::new(SystemEntropy));
    let db = database.open().await;
    let source = KeySource::Value(Secret::new("07".repeat(32)));
    let keyring = Keyring::open(db.clone(), world.clone(), &source).await.unwrap();
    let root = database.directory().join("blobs");
    let settings = BlobSettings { directory: root.clone(), keep_unreferenced: DAY, bucket: None };
    let blobs = Blobs::open(db.clone(), keyring.clone(), world.clone(), settings).await.unwrap();
    let scope = OrgScope::proven(world.id::<OrgId>());
    House { db, blobs, keyring, world, clock, root, scope }
}

impl House {
    /// A change whose only point is what goes along with it.
    fn change(&self) -> Change {
        let fact = FactRow {
            id: self.world.id::<FactId>(),
            org: self.scope.org(),
            occurred_at: self.world.now(),
            kind: "test",
            outcome: "success",
            severity: "info",
            actor_kind: "system",
            actor_id: None,
            target_type: None,
            target_id: None,
            jti: None,
            txn: None,
            credential: None,
            run: None,
            request: None,
            cause: None,
            private_hash: [0; 32],
            private: Vec::new(),
        };
        Change::new(self.scope, fact)
    }

    fn files(&self) -> Vec<PathBuf> {
        let mut found = Vec::new();
        walk(&self.root, &mut found);
        found
    }
}

fn walk(directory: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { walk(&path, found) } else { found.push(path) }
    }
}

fn contents(length: usize) -> Vec<u8> {
    (0..length).map(|index| (index % 251) as u8).collect()
}

testing::on_both_databases! {
    async fn what_is_put_comes_back_and_stands_sealed(database: TestDatabase) {
        let house = house(&database).await;
        for length in [0, 1, 65_535, 65_536, 65_537, 3 * 65_536, 1_000_000] {
            let plain = contents(length);
            let blob = house.blobs.put(&house.scope, plain.clone()).await.unwrap();
            assert_eq!((blob.sha256, blob.size), (crypto::hash::sha256(&plain), length as u64));
            assert_eq!(house.blobs.read(&house.scope, blob.sha256, 2_000_000).await.unwrap(), plain);
        }
        let sealed = std::fs::read(house.files().into_iter().max_by_key(|path| path.metadata().unwrap().len()).unwrap());
        let window = &contents(251 * 2)[..64];
        assert!(!sealed.unwrap().windows(64).any(|found| found == window), "plain text on the disk");
        assert_eq!(house.files().len(), 7, "no draft stays behind");
    }

    async fn streams_agree_with_whole_blobs(database: TestDatabase) {
        use futures::StreamExt;
        let house = house(&database).await;
        let plain = contents(700_001);
        let pieces = plain.chunks(10_007).map(|piece| Ok(bytes::Bytes::copy_from_slice(piece))).collect::<Vec<_>>();
        let blob = house.blobs.put_stream(&house.scope, futures::stream::iter(pieces), 1_000_000).await.unwrap();
        assert_eq!(blob.sha256, crypto::hash::sha256(&plain));
        let (size, stream) = house.blobs.stream(&house.scope, blob.sha256).await.unwrap();
        let read: Vec<u8> = stream.map(|piece| piece.unwrap().to_vec()).concat().await;
        assert_eq!((size, read), (700_001, plain.clone()));

        let pieces = [Ok(bytes::Bytes::from(plain)), Err(std::io::Error::other("hung up"))];
        let refused = house.blobs.put_stream(&house.scope, futures::stream::iter(pieces), 700_000).await;
        assert!(matches!(refused, Err(BlobError::TooLarge(700_000))));
        let broken = [Ok(bytes::Bytes::from_static(b"half")), Err(std::io::Error::other("hung up"))];
        let refused = house.blobs.put_stream(&house.scope, futures::stream::iter(broken), 700_000).await;
        assert!(matches!(refused, Err(BlobError::Io(_))));
        assert_eq!(house.files().len(), 1, "what was refused leaves nothing behind");
    }

    async fn another_organization_has_neither_row_nor_key(database: TestDatabase) {
        let house = house(&database).await;
        let blob = house.blobs.put(&house.scope, b"ours".to_vec()).await.unwrap();
        let theirs = OrgScope::proven(house.world.id::<OrgId>());
        assert!(matches!(house.blobs.read(&theirs, blob.sha256, 100).await, Err(BlobError::Missing)));
        // The same bytes of another organization are another blob; a file moved across does not open.
        house.blobs.put(&theirs, b"ours".to_vec()).await.unwrap();
        let [a, b] = <[PathBuf; 2]>::try_from(house.files()).unwrap();
        std::fs::copy(a, b).unwrap();
        let reads = [house.blobs.read(&theirs, blob.sha256, 100).await, house.blobs.read(&house.scope, blob.sha256, 100).await];
        assert_eq!(reads.iter().filter(|read| matches!(read, Err(BlobError::Damaged(_)))).count(), 1);
    }

    async fn unreferenced_blobs_go_after_a_day_and_referenced_ones_stay(database: TestDatabase) {
        let house = house(&database).await;
        let holder: RunId = house.world.id();
        let kept = house.blobs.put(&house.scope, b"kept".to_vec()).await.unwrap();
        let loose = house.blobs.put(&house.scope, b"loose".to_vec()).await.unwrap();
        house.db.commit(house.change().with(house.blobs.refer(&house.scope, &kept, "run", holder))).await.unwrap();
        assert_eq!(house.blobs.sweep().await.unwrap(), 0);

        house.clock.advance(DAY + Duration::from_secs(1));
        house.blobs.put(&house.scope, b"young".to_vec()).await.unwrap();
        assert_eq!(house.blobs.sweep().await.unwrap(), 1);
        assert!(matches!(house.blobs.read(&house.scope, loose.sha256, 100).await, Err(BlobError::Missing)));
        assert_eq!(house.blobs.read(&house.scope, kept.sha256, 100).await.unwrap(), b"kept");
        let late = house.db.commit(house.change().with(house.blobs.refer(&house.scope, &loose, "run", holder))).await;
        assert!(late.is_err(), "a swept blob cannot be referred to");

        let release = house.blobs.release(&house.scope, &kept.sha256, "run", holder);
        house.db.commit(release.into_iter().fold(house.change(), Change::with)).await.unwrap();
        assert_eq!(house.blobs.sweep().await.unwrap(), 0, "its day starts when it is let go of");
        house.clock.advance(DAY + Duration::from_secs(1));
        assert_eq!(house.blobs.sweep().await.unwrap(), 2);
        assert!(house.files().is_empty());
    }

    async fn holders_share_let_go_of_everything_and_what_was_put_in_vain_goes_at_once(database: TestDatabase) {
        let house = house(&database).await;
        let (one, other): (RunId, RunId) = (house.world.id(), house.world.id());
        let mut put = Vec::new();
        for length in [10, 20, 30] {
            put.push(house.blobs.put(&house.scope, contents(length)).await.unwrap());
        }
        let change = put[..2].iter().fold(house.change(), |change, blob| {
            change.statement(house.blobs.refer(&house.scope, blob, "test", one))
        });
        // Who holds it already goes on holding it.
        let change = change.statement(house.blobs.refer(&house.scope, &put[0], "test", one));
        house.db.commit(change).await.unwrap();
        house.db.commit(house.change().statement(house.blobs.share(&house.scope, "test", one, other))).await.unwrap();
        let gone = house.blobs.release_all(house.scope.org(), "test", one);
        house.db.commit(house.change().statements(gone)).await.unwrap();
        // Only what nobody holds goes, and what is put again meanwhile is there.
        house.blobs.discard(&house.scope, put.iter().map(|blob| blob.sha256).collect()).await.unwrap();
        assert!(matches!(house.blobs.read(&house.scope, put[2].sha256, 100).await, Err(BlobError::Missing)));
        for blob in &put[..2] {
            assert!(house.blobs.read(&house.scope, blob.sha256, 100).await.is_ok(), "held by the other");
        }
        assert_eq!(house.files().len(), 2);
        let gone = house.blobs.release_all(house.scope.org(), "test", other);
        house.db.commit(house.change().statements(gone)).await.unwrap();
        house.blobs.discard(&house.scope, put.iter().map(|blob| blob.sha256).collect()).await.unwrap();
        assert_eq!(house.files().len(), 0);
    }

    async fn putting_again_starts_the_day_again_and_strays_are_found(database: TestDatabase) {
        let house = house(&database).await;
        let blob = house.blobs.put(&house.scope, b"again".to_vec()).await.unwrap();
        house.clock.advance(DAY);
        house.blobs.put(&house.scope, b"again".to_vec()).await.unwrap();
        house.clock.advance(Duration::from_secs(60));
        assert_eq!(house.blobs.sweep().await.unwrap(), 0);

        // As after a crash between row and file.
        let stray = house.files().remove(0).with_file_name("aa".repeat(32));
        std::fs::write(&stray, b"left over").unwrap();
        assert_eq!(house.blobs.sweep_strays().await.unwrap(), 1);
        assert!(!stray.exists());
        assert_eq!(house.blobs.read(&house.scope, blob.sha256, 100).await.unwrap(), b"again");
    }

    async fn putting_and_sweeping_the_same_blob_never_loses_it(database: TestDatabase) {
        let house = house(&database).await;
        for _ in 0..20 {
            let blob = house.blobs.put(&house.scope, b"contended".to_vec()).await.unwrap();
            house.clock.advance(DAY + Duration::from_secs(1));
            let sweeps = futures::future::join_all((0..3).map(|_| house.blobs.sweep()));
            let puts = futures::future::join_all((0..3).map(|_| house.blobs.put(&house.scope, b"contended".to_vec())));
            let (swept, put) = futures::join!(sweeps, puts);
            assert!(swept.iter().all(Result::is_ok) && put.iter().all(Result::is_ok));
            assert_eq!(house.blobs.read(&house.scope, blob.sha256, 100).await.unwrap(), b"contended");
        }
    }
}

#[tokio::test]
async fn drafts_of_a_crashed_server_are_thrown_away() {
    let database = TestDatabase::sqlite();
    let house = house(&database).await;
    let draft = house.root.join("drafts/half");
    std::fs::write(&draft, b"half").unwrap();
    let settings = BlobSettings { directory: house.root.clone(), keep_unreferenced: DAY, bucket: None };
    Blobs::open(house.db.clone(), house.keyring.clone(), house.world.clone(), settings).await.unwrap();
    assert!(!draft.exists());
}

#[tokio::test]
async fn every_cut_swap_and_flip_is_noticed() {
    let database = TestDatabase::sqlite();
    let house = house(&database).await;
    let blob = house.blobs.put(&house.scope, contents(4 * 65_536 + 17)).await.unwrap();
    let other = house.blobs.put(&house.scope, contents(4 * 65_536 + 18)).await.unwrap();
    let name = hex::encode(blob.sha256);
    let path = house.files().into_iter().find(|path| path.ends_with(&name)).unwrap();
    let good = std::fs::read(&path).unwrap();
    let chunk = 65_536 + crypto::seal::OVERHEAD;

    let check = async |bad: Vec<u8>, what: &str| {
        std::fs::write(&path, bad).unwrap();
        let read = house.blobs.read(&house.scope, blob.sha256, 1_000_000).await;
        assert!(matches!(read, Err(BlobError::Damaged(_))), "{what}");
    };
    for at in [0, 4, 5, 30, chunk - 1, chunk, good.len() - 1, good.len() - 40, good.len() - 60] {
        let mut bad = good.clone();
        bad[at] ^= 1;
        check(bad, &format!("byte {at}")).await;
    }
    for cut in [0, 10, chunk, good.len() - chunk, good.len() - 1] {
        check(good[..cut].to_vec(), &format!("cut at {cut}")).await;
    }
    let mut swapped = good.clone();
    let (left, right) = swapped.split_at_mut(chunk);
    left.swap_with_slice(&mut right[..chunk]);
    check(swapped, "chunks in another order").await;
    let mut shorter = good.clone();
    shorter.drain(chunk..2 * chunk);
    check(shorter, "a chunk taken out").await;
    let mut doubled = good.clone();
    doubled.splice(chunk..chunk, good[..chunk].iter().copied());
    check(doubled, "a chunk twice").await;
    let elsewhere = path.with_file_name("x");
    let theirs = house.files().into_iter().find(|path| path.ends_with(hex::encode(other.sha256))).unwrap();
    std::fs::copy(&theirs, &elsewhere).unwrap();
    check(std::fs::read(&elsewhere).unwrap(), "another blob's file").await;
    // A chunk of the other file, at the same place.
    let mut mixed = good.clone();
    mixed[..chunk].copy_from_slice(&std::fs::read(&theirs).unwrap()[..chunk]);
    check(mixed, "another blob's chunk").await;

    std::fs::write(&path, &good).unwrap();
    assert!(house.blobs.read(&house.scope, blob.sha256, 1_000_000).await.is_ok());
}

/// Runs itself again in a mount namespace, where the blobs stand on a tmpfs of one megabyte.
#[test]
fn a_full_disk_refuses_and_leaves_the_rest_whole() {
    const INSIDE: &str = "BLOBS_ON_A_FULL_DISK";
    #[expect(clippy::disallowed_methods, reason = "tells the inner run of this test from the outer one")]
    if let Ok(directory) = std::env::var(INSIDE) {
        return tokio::runtime::Runtime::new().unwrap().block_on(fill(Path::new(&directory)));
    }
    let directory = tempfile::tempdir().unwrap();
    let script = "mount -t tmpfs -o size=1m tmpfs \"$1\" && exec \"$2\" --exact \"$3\" --nocapture";
    let test = "a_full_disk_refuses_and_leaves_the_rest_whole";
    let status = std::process::Command::new("unshare")
        .args(["--map-root-user", "--mount", "sh", "-euc", script, "sh"])
        .args([directory.path(), &std::env::current_exe().unwrap(), Path::new(test)])
        .env(INSIDE, directory.path())
        .status()
        .unwrap();
    assert!(status.success());
}

async fn fill(disk: &Path) {
    let database = TestDatabase::sqlite();
    let house = house(&database).await;
    let settings = BlobSettings { directory: disk.join("blobs"), keep_unreferenced: DAY, bucket: None };
    let blobs =
        Blobs::open(house.db.clone(), house.keyring.clone(), house.world.clone(), settings).await.unwrap();
    let kept = blobs.put(&house.scope, contents(400_000)).await.unwrap();
    let refused = blobs.put(&house.scope, contents(900_000)).await.unwrap_err();
    assert!(matches!(refused, BlobError::Full), "{refused}");
    assert_eq!(problem::Problem::from(refused).code().name, "storage_full");
    assert_eq!(blobs.read(&house.scope, kept.sha256, 1_000_000).await.unwrap(), contents(400_000));
    blobs.put(&house.scope, contents(300_000)).await.expect("what was refused gave its space back");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]
    #[test]
    fn any_contents_in_any_pieces_come_back(
        plain in prop::collection::vec(any::<u8>(), 0..200_000),
        pieces in 1..70_000_usize,
    ) {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        runtime.block_on(async {
            let database = TestDatabase::sqlite();
            let house = house(&database).await;
            let chunks = plain.chunks(pieces).map(|piece| Ok(bytes::Bytes::copy_from_slice(piece))).collect::<Vec<_>>();
            let blob = house.blobs.put_stream(&house.scope, futures::stream::iter(chunks), 200_000).await.unwrap();
            let read = house.blobs.read(&house.scope, blob.sha256, 200_000).await.unwrap();
            prop_assert_eq!(read, plain);
            Ok(())
        })?;
    }
}
