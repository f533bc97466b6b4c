//! From requirements to a running import.

use safeconduct_packages::{BuildError, Lock};
use serde_json::json;
use testing::Wheel;

use crate::fixture::{Fixture, PATIENCE, said, slot};

const IMPORT: &str = "import greeting\ndef handler(input, context):\n    return greeting.hello()\n";

fn greeting(fixture: &Fixture) {
    Wheel::new("polite-words", "1.2").file("polite_words.py", "WORD = 'hello'\n").write(&fixture.wheels());
    Wheel::new("greeting", "2.0")
        .needs("polite-words>=1")
        .file("greeting/__init__.py", "from polite_words import WORD\ndef hello():\n    return WORD\n")
        .write(&fixture.wheels());
    Wheel::new("greeting", "3.0")
        .file("greeting/__init__.py", "raise Exception('not this one')\n")
        .write(&fixture.wheels());
}

#[tokio::test(flavor = "multi_thread")]
async fn requirements_become_a_lock_and_an_environment_that_imports() {
    let fixture = Fixture::new();
    greeting(&fixture);
    let build = fixture.begin(&["greeting<3"]);
    let ready = build.wait(PATIENCE).await.unwrap().unwrap();
    let locked: Vec<_> = ready
        .lock
        .packages()
        .iter()
        .map(|one| (one.name.as_str(), one.version.as_str(), one.via.len()))
        .collect();
    assert_eq!(locked, [("greeting", "2.0", 0), ("polite-words", "1.2", 1)]);
    assert!(ready.lock.text().starts_with("# for cp3"), "{}", ready.lock.text());
    assert_eq!(fixture.run(&ready, IMPORT).await, "hello");
    let said = said(&build).await;
    for word in ["resolving greeting<3", "fetching greeting-2.0-py3-none-any.whl", "installing", "built: "] {
        assert!(said.contains(word), "{word}: {said}");
    }
    // Compiled beforehand: no call pays for it, and tracebacks name the place where it is imported from.
    let code = "import greeting\ndef handler(input, context):\n    return [greeting.__cached__, greeting.hello.__code__.co_filename]\n";
    let compiled = fixture.run(&ready, code).await;
    assert!(compiled[0].as_str().unwrap().starts_with("/packages/greeting/__pycache__/"), "{compiled}");
    assert_eq!(compiled[1], "/packages/greeting/__init__.py");
    assert!(ready.path.join("greeting/__pycache__").exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_lock_is_the_same_environment_and_it_is_built_once() {
    let fixture = Fixture::new();
    greeting(&fixture);
    let builds: Vec<_> = (0..8).map(|_| fixture.begin(&["greeting==2.0"])).collect();
    let mut paths = Vec::new();
    for build in &builds {
        paths.push(build.wait(PATIENCE).await.unwrap().unwrap().path);
    }
    paths.dedup();
    assert_eq!(paths.len(), 1);
    let said = said(&builds[0]).await;
    assert_eq!(said.matches("built: ").count(), 1, "{said}");
    // Other words, the same lock.
    let same = fixture.begin(&["greeting<2.5", "Polite.Words"]);
    assert_eq!(same.wait(PATIENCE).await.unwrap().unwrap().path, paths[0]);
    assert!(crate::fixture::said(&same).await.contains("the environment is there"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failed_build_names_the_package_and_why_and_leaves_nothing() {
    let fixture = Fixture::new();
    greeting(&fixture);
    Wheel::new("needy", "1").needs("nowhere-to-be-found").write(&fixture.wheels());
    for (requirement, named) in
        [("absent", "absent"), ("greeting==9", "greeting==9"), ("needy", "nowhere-to-be-found")]
    {
        let error = fixture.build(&[requirement]).await.unwrap_err();
        assert!(
            matches!(error, BuildError::Refused(_)) && error.to_string().contains(named),
            "{requirement}: {error}"
        );
        assert!(!error.to_string().contains("127.0.0.1"), "{error}");
    }
    let conflict = fixture.build(&["greeting==2.0", "polite-words<1"]).await.unwrap_err().to_string();
    assert!(conflict.contains("polite-words"), "{conflict}");
    assert_eq!(environments(&fixture), Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_refused_comes_neither_by_name_nor_along() {
    let fixture = Fixture::new();
    greeting(&fixture);
    let refused = || [("polite-words").parse().unwrap()].into();
    let wanted = |text: &str| vec![text.parse().unwrap()];
    for requirement in ["polite-words", "greeting==2.0"] {
        let build = fixture.environments.prepare(fixture.org, slot(), wanted(requirement), refused());
        let error = build.wait(PATIENCE).await.unwrap().unwrap_err();
        assert!(error.to_string().contains("polite-words"), "{error}");
        assert!(said(&build).await.contains("polite-words is refused here"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn from_its_lock_the_same_is_built_again_and_nothing_else() {
    let fixture = Fixture::new();
    greeting(&fixture);
    let first = fixture.build(&["greeting==2.0"]).await.unwrap();
    std::fs::remove_dir_all(&first.path).unwrap();
    assert!(fixture.environments.find(fixture.org, &first.lock).is_none());
    let lock = Lock::kept(first.lock.text()).unwrap();
    let again = fixture
        .environments
        .install(fixture.org, slot(), lock.clone())
        .wait(PATIENCE)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(again.path, first.path);
    assert_eq!(fixture.run(&again, IMPORT).await, "hello");
    // Somebody put another file under the same name into the index.
    std::fs::remove_dir_all(&first.path).unwrap();
    Wheel::new("greeting", "2.0")
        .file("greeting/__init__.py", "def hello():\n    return 'evil'\n")
        .write(&fixture.wheels());
    let error =
        fixture.environments.install(fixture.org, slot(), lock).wait(PATIENCE).await.unwrap().unwrap_err();
    assert!(error.to_string().to_lowercase().contains("hash"), "{error}");
    assert!(!first.path.exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_environment_has_bounds_in_bytes_and_in_files() {
    let fixture = Fixture::with(|settings| {
        settings.environment_bytes = 4 << 20;
        settings.environment_files = 50;
    });
    let noise: Vec<u8> =
        (0..3_u32 << 20).map(|number| (number.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
    Wheel::new("heavy", "1").file("heavy/a.bin", &noise).file("heavy/b.bin", &noise).write(&fixture.wheels());
    let many = (0..60)
        .fold(Wheel::new("many", "1"), |wheel, number| wheel.file(&format!("many/f{number}.txt"), "x"));
    many.write(&fixture.wheels());
    let heavy = fixture.build(&["heavy"]).await.unwrap_err();
    assert!(matches!(heavy, BuildError::TooLarge(_)), "{heavy}");
    let many = fixture.build(&["many"]).await.unwrap_err();
    assert!(matches!(&many, BuildError::TooLarge(reason) if reason.contains("50 files")), "{many}");
    assert_eq!(environments(&fixture), Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_without_uv_says_so() {
    let fixture = Fixture::new();
    let ground = safeconduct_packages::Ground {
        sandbox: fixture.sandbox.clone(),
        egress: egress::Egress::new(egress::EgressSettings::default()).unwrap(),
        world: fixture.world.clone(),
        uv: safeconduct_packages::find_uv(None).map(|found| found.path),
    };
    let settings = fixture.environments.settings().clone();
    let environments = safeconduct_packages::Environments::new(ground, settings);
    let build = environments.prepare(fixture.org, slot(), vec!["x".parse().unwrap()], [].into());
    let error = build.wait(PATIENCE).await.unwrap().unwrap_err();
    assert!(matches!(&error, BuildError::Unavailable(reason) if reason.contains("packages.uv")), "{error}");
}

/// What stands in the organization's directory, besides the lock file.
pub(crate) fn environments(fixture: &Fixture) -> Vec<String> {
    let home = fixture.home.path().join("environments").join(fixture.org.to_string());
    let names = std::fs::read_dir(home).into_iter().flatten().flatten();
    names
        .map(|entry| entry.file_name().into_string().unwrap())
        .filter(|name| !name.starts_with('.'))
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_import_path_ends_with_the_environment() {
    let fixture = Fixture::new();
    Wheel::new("shadow", "1").file("json.py", "raise Exception('shadowed')\n").write(&fixture.wheels());
    let ready = fixture.build(&["shadow"]).await.unwrap();
    let code = "import json, sys\ndef handler(input, context):\n    return [sys.path[-1], json.dumps([1])]\n";
    assert_eq!(fixture.run(&ready, code).await, json!(["/packages", "[1]"]));
}
