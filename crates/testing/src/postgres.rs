//! One PostgreSQL server per test process, made on first use, gone with the process.
//!
//! A small shell stands between: it holds the other end of a pipe, and when this process ends – also by a kill – the
//! pipe closes, the shell stops the server and removes its files. The server listens on a socket in its own directory, so
//! that any number of test processes stand side by side.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, OnceLock};

use db::{Db, PostgresSettings, RolePasswords, Settings};
use tokio::sync::OnceCell;
use tokio_postgres::NoTls;
use types::Secret;

const TEMPLATE: &str = "safeconduct_template";

/// `$1`: directory of the programs, `$2`: directory of the data. Prints one line when the server answers.
const SUPERVISOR: &str = r#"
set -eu
programs=$1; data=$2
as=""
if [ "$(id -u)" = 0 ]; then as="runuser -u postgres --"; chown postgres "$data"; fi
log=$data/set-up.log
trap 'rm -rf "$data"' EXIT
$as "$programs/initdb" -D "$data/cluster" -U postgres --auth=trust --no-sync -E UTF8 --locale=C.UTF-8 >"$log" 2>&1 \
    || { cat "$log" >&2; exit 1; }
$as "$programs/postgres" -D "$data/cluster" -k "$data" -c listen_addresses= -c max_connections=300 \
    -c fsync=off -c synchronous_commit=off -c full_page_writes=off -c min_wal_size=32MB -c max_wal_size=128MB \
    </dev/null >"$log" 2>&1 &
server=$!
until "$programs/pg_isready" -q -h "$data" -U postgres; do
    kill -0 $server 2>/dev/null || { cat "$log" >&2; exit 1; }
    sleep 0.02
done
echo ready
cat >/dev/null
kill -INT "$(head -1 "$data/cluster/postmaster.pid")"
wait $server || true
"#;

struct Server {
    sockets: PathBuf,
    /// Its standard input is the pipe that keeps the server alive.
    _supervisor: Child,
}

fn server() -> &'static Server {
    static SERVER: OnceLock<Server> = OnceLock::new();
    SERVER.get_or_init(|| {
        let programs = programs();
        let sockets =
            tempfile::Builder::new().prefix("sfc-pg-").tempdir().expect("a temporary directory").keep();
        let mut supervisor = Command::new("sh")
            .args(["-c", SUPERVISOR, "postgres"])
            .args([&programs, &sockets])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("a shell starts");
        let mut line = String::new();
        let output = supervisor.stdout.take().expect("the output is piped");
        BufReader::new(output).read_line(&mut line).expect("the supervisor answers");
        assert_eq!(line, "ready\n", "PostgreSQL did not start; the reason stands above");
        Server { sockets, _supervisor: supervisor }
    })
}

/// The newest PostgreSQL of this machine.
fn programs() -> PathBuf {
    let version = |path: &Path| path.file_name()?.to_str()?.parse::<u32>().ok();
    let installed = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let newest = installed.map(|entry| entry.path()).max_by_key(|path| version(path));
    newest.expect("PostgreSQL 15 or newer; install it (Debian: apt-get install postgresql)").join("bin")
}

/// A login over the server's socket.
pub(crate) fn url(role: &str, database: &str) -> String {
    let sockets = server().sockets.display().to_string().replace('/', "%2F");
    format!("postgres://{role}:{role}@{sockets}/{database}")
}

/// A copy of the template: roles, tables, policies as `db init` and the migrations make them.
///
/// Its name is given back when the test ends; the next test drops it, so that a disk holds no more databases than tests
/// run at a time.
pub(crate) struct Database {
    pub(crate) name: String,
}

/// Databases whose tests have ended. Dropping one takes a connection, and a destructor has nothing to wait with.
static LEFT: Mutex<Vec<String>> = Mutex::new(Vec::new());

impl Database {
    pub(crate) async fn fresh() -> Self {
        static TEMPLATE_MADE: OnceCell<()> = OnceCell::const_new();
        static NEXT: AtomicU32 = AtomicU32::new(1);
        TEMPLATE_MADE.get_or_init(make_template).await;
        let left = std::mem::take(&mut *LEFT.lock().expect("nobody panics while holding it"));
        for name in left {
            run(&format!("DROP DATABASE {name} WITH (FORCE)")).await;
        }
        let name = format!("test_{}", NEXT.fetch_add(1, Ordering::Relaxed));
        run(&format!("CREATE DATABASE {name} TEMPLATE {TEMPLATE}")).await;
        Self { name }
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        LEFT.lock().expect("nobody panics while holding it").push(std::mem::take(&mut self.name));
    }
}

async fn make_template() {
    run(&format!("CREATE DATABASE {TEMPLATE}")).await;
    let secret = |role: &str| Secret::new(role.to_owned());
    let passwords = RolePasswords {
        owner: secret("safeconduct_owner"),
        app: secret("safeconduct_app"),
        system: secret("safeconduct_system"),
    };
    db::init_roles(&url("postgres", TEMPLATE), &passwords).await.expect("roles are made");
    let settings = PostgresSettings {
        app_url: url("safeconduct_app", TEMPLATE),
        system_url: url("safeconduct_system", TEMPLATE),
        owner_url: url("safeconduct_owner", TEMPLATE),
        app_connections: 1,
        system_connections: 1,
        connect_timeout: std::time::Duration::from_secs(10),
    };
    drop(Db::open(Settings::Postgres(settings)).await.expect("migrations run"));
    // A template must have no visitors, also none that are just leaving.
    run(&format!("ALTER DATABASE {TEMPLATE} ALLOW_CONNECTIONS false")).await;
    run(&format!("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{TEMPLATE}'"))
        .await;
    while count(&format!("SELECT 1 FROM pg_stat_activity WHERE datname = '{TEMPLATE}'")).await > 0 {
        tokio::task::yield_now().await;
    }
}

async fn run(text: &str) {
    client().await.batch_execute(text).await.expect("the administrator may do this");
}

async fn count(text: &str) -> usize {
    client().await.query(text, &[]).await.expect("the administrator may read").len()
}

#[expect(clippy::disallowed_methods, reason = "the connection's own task, in tests")]
pub(crate) async fn connect(url: &str) -> tokio_postgres::Client {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await.expect("PostgreSQL answers");
    tokio::spawn(connection);
    client
}

async fn client() -> tokio_postgres::Client {
    connect(&url("postgres", "postgres")).await
}
