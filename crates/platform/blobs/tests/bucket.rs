//! The bucket backend against a real S3 gateway, on both databases; part of `make test-all`.
#![expect(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use db::{Db, OrgScope};
use egress::{Egress, EgressSettings};
use futures::StreamExt;
use futures::future::join_all;
use safeconduct_blobs::{BlobError, BlobSettings, Blobs, Bucket, BucketSettings};
use secrets::{KeySource, Keyring};
use testing::{BucketServer, TestDatabase};
use types::{OrgId, Secret, SteeredClock, SystemEntropy, World};

const DAY: Duration = Duration::from_secs(24 * 3600);
/// More than goes up in one part.
const LARGE: usize = 20_000_001;

struct House {
    db: Db,
    keyring: Keyring,
    world: World,
    clock: Arc<SteeredClock>,
    scope: OrgScope,
    server: BucketServer,
    directory: PathBuf,
}

impl House {
    async fn new(database: &TestDatabase) -> Self {
        let clock = Arc::new(SteeredClock::default());
        let world = World::new(clock.clone(), Arc::new(SystemEntropy));
        let db = database.open().await;
        let source = KeySource::Value(Secret::new("07".repeat(32)));
        let keyring = Keyring::open(db.clone(), world.clone(), &source).await.unwrap();
        let scope = OrgScope::proven(world.id::<OrgId>());
        let directory = database.directory().to_owned();
        Self { db, keyring, world, clock, scope, server: BucketServer::start(), directory }
    }

    fn settings(&self) -> BucketSettings {
        BucketSettings {
            endpoint: self.server.endpoint(),
            name: BucketServer::BUCKET.into(),
            region: "us-east-1".into(),
            prefix: "safeconduct/".into(),
            installation: "one installation".into(),
            key_id: BucketServer::KEY_ID.into(),
            secret: Secret::new(BucketServer::SECRET.into()),
            in_path: true,
            authorities: None,
        }
    }

    /// A server with a directory of its own, as another node has.
    async fn node(&self, name: &str) -> Blobs {
        let egress = Egress::new(EgressSettings::default()).unwrap();
        let bucket = Bucket::open(egress, self.settings()).await.unwrap();
        self.without_bucket(name, Some(bucket)).await.unwrap()
    }

    async fn without_bucket(&self, name: &str, bucket: Option<Bucket>) -> Result<Blobs, BlobError> {
        let settings = BlobSettings { directory: self.directory.join(name), keep_unreferenced: DAY, bucket };
        Blobs::open(self.db.clone(), self.keyring.clone(), self.world.clone(), settings).await
    }

    /// As which files the objects lie in the gateway's directory.
    fn objects(&self) -> Vec<PathBuf> {
        let mut found = Vec::new();
        walk(&self.server.objects().join("safeconduct"), &mut found);
        found.retain(|path| !path.ends_with("safeconduct/installation"));
        found
    }
}

fn walk(directory: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(directory).into_iter().flatten() {
        let path = entry.unwrap().path();
        if path.is_dir() { walk(&path, found) } else { found.push(path) }
    }
}

fn contents(length: usize) -> Vec<u8> {
    (0..length).map(|index| (index % 251) as u8).collect()
}

testing::on_both_databases! {
    async fn what_one_node_puts_another_reads(database: TestDatabase) {
        let house = House::new(&database).await;
        let (one, other) = (house.node("one").await, house.node("other").await);
        for length in [0, 1, 65_536, 65_537, 33 * 65_536 + 5, LARGE] {
            let plain = contents(length);
            let blob = one.put(&house.scope, plain.clone()).await.unwrap();
            assert_eq!((blob.sha256, blob.size), (crypto::hash::sha256(&plain), length as u64));
            assert_eq!(other.read(&house.scope, blob.sha256, LARGE as u64).await.unwrap(), plain, "{length}");
            let (size, stream) = other.stream(&house.scope, blob.sha256).await.unwrap();
            let read: Vec<u8> = stream.map(|piece| piece.unwrap().to_vec()).concat().await;
            assert!(size == length as u64 && read == plain, "{length}");
        }
        assert_eq!(house.objects().len(), 6);
        let window = &contents(251 * 2)[..64];
        for object in house.objects() {
            assert!(!std::fs::read(object).unwrap().windows(64).any(|found| found == window), "plain text");
        }
        let theirs = OrgScope::proven(house.world.id::<OrgId>());
        let ours = crypto::hash::sha256(&contents(1));
        assert!(matches!(other.read(&theirs, ours, 10).await, Err(BlobError::Missing)));
        assert!(matches!(other.read(&house.scope, ours, 0).await, Err(BlobError::TooLarge(0))));
    }

    async fn an_object_that_was_changed_or_cut_does_not_open(database: TestDatabase) {
        let house = House::new(&database).await;
        let node = house.node("one").await;
        let blob = node.put(&house.scope, contents(200_000)).await.unwrap();
        let [object] = <[PathBuf; 1]>::try_from(house.objects()).unwrap();
        let good = std::fs::read(&object).unwrap();
        for bad in [
            { let mut bad = good.clone(); bad[70_000] ^= 1; bad },
            { let mut bad = good.clone(); *bad.last_mut().unwrap() ^= 1; bad },
            good[..good.len() - 1].to_vec(),
            good[..10].to_vec(),
            good[70_000..].to_vec(),
        ] {
            std::fs::write(&object, bad).unwrap();
            let read = node.read(&house.scope, blob.sha256, 1_000_000).await;
            assert!(matches!(read, Err(BlobError::Damaged(_))), "{:?}", read.map(|read| read.len()));
        }
        std::fs::remove_file(&object).unwrap();
        assert!(matches!(node.read(&house.scope, blob.sha256, 1_000_000).await, Err(BlobError::Missing)));
    }

    async fn racers_leave_one_object_and_sweeps_lose_none(database: TestDatabase) {
        let house = House::new(&database).await;
        let nodes = [house.node("one").await, house.node("other").await];
        for round in 0..5 {
            let plain = format!("contended {round}").into_bytes();
            let puts = (0..8).map(|racer| nodes[racer % 2].put(&house.scope, plain.clone()));
            let put: Vec<_> = join_all(puts).await.into_iter().map(Result::unwrap).collect();
            assert!(put.iter().all(|blob| *blob == put[0]));
            assert_eq!(house.objects().len(), 1);
            house.clock.advance(DAY + Duration::from_secs(1));
            let sweeps = join_all((0..4).map(|racer| nodes[racer % 2].sweep()));
            let puts = join_all((0..4).map(|racer| nodes[racer % 2].put(&house.scope, plain.clone())));
            let (swept, put_again) = futures::join!(sweeps, puts);
            assert!(swept.iter().all(Result::is_ok), "{swept:?}");
            assert!(put_again.iter().all(Result::is_ok), "{put_again:?}");
            for node in &nodes {
                assert_eq!(node.read(&house.scope, put[0].sha256, 100).await.unwrap(), plain);
            }
            house.clock.advance(DAY + Duration::from_secs(1));
            nodes[0].sweep().await.unwrap();
            assert_eq!(house.objects().len(), 0);
        }
    }

    async fn objects_that_no_row_knows_go_once_they_are_old(database: TestDatabase) {
        let house = House::new(&database).await;
        let node = house.node("one").await;
        let blob = node.put(&house.scope, b"known".to_vec()).await.unwrap();
        // As after a crash between object and row.
        let ours = house.objects().remove(0);
        let name = ours.file_name().unwrap().to_str().unwrap();
        let stray = ours.with_file_name(format!("{}{}", &name[..name.len() - 16], "ab".repeat(8)));
        std::fs::write(&stray, b"left over").unwrap();
        // Whatever has no name of ours is somebody's, however near it lies.
        let theirs = [
            ours.with_file_name("notes"),
            ours.with_file_name(format!("{name}.bak")),
            house.server.objects().join("safeconduct/backup.tar"),
            house.server.objects().join("another/installation"),
        ];
        for file in &theirs {
            std::fs::create_dir_all(file.parent().unwrap()).unwrap();
            std::fs::write(file, b"theirs").unwrap();
        }
        // The gateway's clock is the real one, and the test's stands elsewhere.
        let behind = World::system().now().millis() - house.world.now().millis();
        house.clock.advance(Duration::from_millis(u64::try_from(behind).unwrap_or_default()));
        assert_eq!(node.sweep_strays().await.unwrap(), 0, "it may be about to get its row");
        house.clock.advance(DAY + Duration::from_secs(60));
        assert_eq!(node.sweep_strays().await.unwrap(), 1);
        assert!(!stray.exists());
        assert!(theirs.iter().all(|file| file.exists()));
        assert_eq!(node.read(&house.scope, blob.sha256, 100).await.unwrap(), b"known");
    }

    async fn a_silent_bucket_refuses_and_loses_nothing(database: TestDatabase) {
        let mut house = House::new(&database).await;
        let node = house.node("one").await;
        let kept = node.put(&house.scope, b"kept".to_vec()).await.unwrap();
        house.server.stop();
        let refused = node.put(&house.scope, b"refused".to_vec()).await.unwrap_err();
        assert!(matches!(refused, BlobError::Bucket(_)), "{refused}");
        assert_eq!(problem::Problem::from(refused).code().name, "blobs_unavailable");
        assert!(matches!(node.read(&house.scope, kept.sha256, 100).await, Err(BlobError::Bucket(_))));
        house.server.resume();
        assert_eq!(node.read(&house.scope, kept.sha256, 100).await.unwrap(), b"kept");
        node.put(&house.scope, b"refused".to_vec()).await.unwrap();
        assert_eq!(house.objects().len(), 2);
    }

    async fn files_of_before_are_read_and_a_bucket_is_not_forgotten(database: TestDatabase) {
        let house = House::new(&database).await;
        let before = house.without_bucket("one", None).await.unwrap();
        let file = before.put(&house.scope, b"a file".to_vec()).await.unwrap();
        drop(before);
        let node = house.node("one").await;
        assert_eq!(node.read(&house.scope, file.sha256, 100).await.unwrap(), b"a file");
        // Put again, it moves, and the other node has it too.
        node.put(&house.scope, b"a file".to_vec()).await.unwrap();
        let other = house.node("other").await;
        assert_eq!(other.read(&house.scope, file.sha256, 100).await.unwrap(), b"a file");
        drop((node, other));
        assert!(matches!(house.without_bucket("one", None).await, Err(BlobError::NoBucket)));
    }
}

#[tokio::test]
async fn a_wrong_name_or_key_or_installation_is_told_at_once() {
    let house = House::new(&TestDatabase::sqlite()).await;
    let open = async |settings| {
        let egress = Egress::new(EgressSettings::default()).unwrap();
        Bucket::open(egress, settings).await.err().map(|error| error.to_string()).unwrap_or_default()
    };
    let secret = Secret::new("another-secret".to_owned());
    let wrong = open(BucketSettings { secret, ..house.settings() }).await;
    assert!(wrong.contains("403 SignatureDoesNotMatch"), "{wrong}");
    let wrong = open(BucketSettings { name: "elsewhere".into(), ..house.settings() }).await;
    assert!(wrong.contains("NoSuchBucket"), "{wrong}");
    assert_eq!(open(house.settings()).await, "", "the first says whose it is");
    assert_eq!(open(house.settings()).await, "", "and comes again");
    let wrong = open(BucketSettings { installation: "another".into(), ..house.settings() }).await;
    assert!(wrong.contains("belongs to one installation; set a blobs.prefix of your own"), "{wrong}");
    let beside =
        BucketSettings { installation: "another".into(), prefix: "another/".into(), ..house.settings() };
    assert_eq!(open(beside).await, "");
    let wrong = open(BucketSettings { endpoint: "http://127.0.0.1:1".into(), ..house.settings() }).await;
    assert!(wrong.contains("127.0.0.1:1 cannot be reached"), "{wrong}");
}
