//! A real PostgreSQL: the one at `DUWANG_TEST_POSTGRES_URL`, else a throwaway cluster made from the installed binaries.
//!
//! Where there is none, the tests that need it are left out and say so; with `DUWANG_TEST_POSTGRES=required` they fail.

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::str::FromStr as _;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

use duwang::store::Store;
use sqlx::postgres::{PgConnectOptions, PgConnection};
use sqlx::{AssertSqlSafe, ConnectOptions as _, Connection as _, Executor as _};

/// A schema of its own in the shared database.
pub struct Schema {
    pub store: Store,
    server: PgConnectOptions,
    name: String,
}

/// The cluster of this test process. Its shell ends it, and removes its files, when our end of the pipe closes:
/// also when the test process is killed.
pub struct Cluster {
    options: PgConnectOptions,
    shell: Child,
    answers: BufReader<ChildStdout>,
}

static CLUSTER: OnceLock<Result<Cluster, String>> = OnceLock::new();
static N_SCHEMAS: AtomicU32 = AtomicU32::new(0);

/// A migrated schema; `None` where there is no PostgreSQL and none is required.
pub async fn schema(test: &str) -> Option<Schema> {
    let server = or_left_out(test, server())?;
    let n = N_SCHEMAS.fetch_add(1, Ordering::Relaxed);
    let name = format!("test_{}_{n}", std::process::id());
    let mut conn = PgConnection::connect_with(&server).await.unwrap();
    conn.execute(AssertSqlSafe(format!("CREATE SCHEMA {name}"))).await.unwrap();
    let store = Store::connect_postgres(server.clone().options([("search_path", &name)])).await.unwrap();
    store.migrate().await.unwrap();
    Some(Schema { store, server, name })
}

impl Schema {
    /// The address under which another process finds this schema.
    pub fn url(&self) -> String {
        let mut url = self.server.to_url_lossy();
        url.query_pairs_mut().append_pair("options[search_path]", &self.name);
        url.to_string()
    }

    pub async fn drop_schema(self) {
        self.store.close().await;
        let mut conn = PgConnection::connect_with(&self.server).await.unwrap();
        conn.execute(AssertSqlSafe(format!("DROP SCHEMA {} CASCADE", self.name))).await.unwrap();
    }
}

#[expect(clippy::disallowed_methods, reason = "the switch of the test run")]
fn is_required() -> bool {
    std::env::var("DUWANG_TEST_POSTGRES").is_ok_and(|value| value == "required")
}

/// What a test asks for; without PostgreSQL the test is left out, or fails where PostgreSQL is required.
fn or_left_out<T>(test: &str, asked: Result<T, String>) -> Option<T> {
    asked
        .inspect_err(|reason| {
            assert!(!is_required(), "{test} needs PostgreSQL: {reason}");
            // The test harness swallows what `eprintln!` says in a passing test; a left-out test must be seen.
            let _ = writeln!(std::io::stderr(), "left out: {test} ({reason})");
        })
        .ok()
}

fn server() -> Result<PgConnectOptions, String> {
    #[expect(clippy::disallowed_methods, reason = "the switch of the test run")]
    if let Ok(url) = std::env::var("DUWANG_TEST_POSTGRES_URL") {
        return PgConnectOptions::from_str(&url).map_err(|error| format!("DUWANG_TEST_POSTGRES_URL: {error}"));
    }
    CLUSTER.get_or_init(Cluster::start).as_ref().map(|cluster| cluster.options.clone()).map_err(Clone::clone)
}

impl Cluster {
    fn start() -> Result<Self, String> {
        let bin = bin_dir().ok_or("no PostgreSQL: neither initdb in PATH nor /usr/lib/postgresql/*/bin")?;
        let dir = tempfile::Builder::new().prefix("duwang-test-pg-").tempdir().map_err(|error| error.to_string())?;
        let dir = dir.keep();
        // Durability is not what is tested; the socket lies in the folder, so no port is taken.
        let script = format!(
            "set -e; cd {dir}; {bin}/initdb -D {dir}/data -U duwang -A trust -E UTF8 --locale=C >{dir}/initdb.log 2>&1; \
             start() {{ {bin}/pg_ctl -D {dir}/data -w -l {dir}/server.log -o \"-k {dir} -c listen_addresses= -c fsync=off\" start >/dev/null; }}; \
             stop() {{ {bin}/pg_ctl -D {dir}/data -m immediate stop >/dev/null || true; }}; \
             start; echo ready; while read -r command; do $command; echo ready; done; stop; rm -rf {dir}",
            dir = dir.display(),
            bin = bin.display(),
        );
        let mut command = if is_root() {
            // PostgreSQL refuses to run as root.
            let owned = Command::new("chown").arg("postgres").arg(&dir).status().map_err(|error| error.to_string())?;
            if !owned.success() {
                return Err("running as root, and there is no user `postgres` to run PostgreSQL as".to_owned());
            }
            let mut command = Command::new("setpriv");
            command.args(["--reuid=postgres", "--regid=postgres", "--init-groups", "sh", "-c", &script]);
            command
        } else {
            let mut command = Command::new("sh");
            command.args(["-c", &script]);
            command
        };
        let mut shell = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .map_err(|error| error.to_string())?;
        let mut ready = String::new();
        let mut answers = BufReader::new(shell.stdout.take().ok_or("no pipe to the cluster")?);
        let _ = answers.read_line(&mut ready);
        if ready.trim() != "ready" {
            return Err(format!("the throwaway cluster did not start; see {}", dir.display()));
        }
        let options = PgConnectOptions::new_without_pgpass().socket(&dir).username("duwang").database("postgres");
        Ok(Self { options, shell, answers })
    }

    /// The address under which another process finds it.
    pub fn url(&self) -> String {
        self.options.to_url_lossy().to_string()
    }

    /// Crashes the server, or brings it back.
    fn tell(&mut self, command: &str) {
        writeln!(self.shell.stdin.as_mut().unwrap(), "{command}").unwrap();
        let mut ready = String::new();
        self.answers.read_line(&mut ready).unwrap();
        assert_eq!(ready.trim(), "ready");
    }

    pub fn crash(&mut self) {
        self.tell("stop");
    }

    pub fn bring_back(&mut self) {
        self.tell("start");
    }
}

/// A server of its own, to be crashed; `None` where there is no PostgreSQL to start and none is required.
pub fn own_cluster(test: &str) -> Option<Cluster> {
    or_left_out(test, Cluster::start())
}

/// Where `initdb` and `pg_ctl` lie: the newest version of Debian's layout, else beside the one in `PATH`.
fn bin_dir() -> Option<PathBuf> {
    let mut versions: Vec<PathBuf> = std::fs::read_dir("/usr/lib/postgresql")
        .map(|entries| entries.flatten().map(|entry| entry.path().join("bin")).collect())
        .unwrap_or_default();
    versions.retain(|bin| bin.join("initdb").exists() && bin.join("pg_ctl").exists());
    versions.sort();
    versions.pop().or_else(|| {
        let found = Command::new("sh").args(["-c", "command -v initdb"]).output().ok()?;
        let path = String::from_utf8(found.stdout).ok()?;
        Path::new(path.trim()).parent().filter(|bin| bin.join("pg_ctl").exists()).map(Path::to_owned)
    })
}

fn is_root() -> bool {
    Command::new("id").arg("-u").output().is_ok_and(|output| output.stdout.starts_with(b"0\n"))
}

/// A database of its own, empty, for what concerns a whole database.
pub struct Database {
    pub options: PgConnectOptions,
    server: PgConnectOptions,
    name: String,
}

/// `None` where there is no PostgreSQL and none is required.
pub async fn database(test: &str) -> Option<Database> {
    let server = or_left_out(test, server())?;
    let n = N_SCHEMAS.fetch_add(1, Ordering::Relaxed);
    let name = format!("test_db_{}_{n}", std::process::id());
    let mut conn = PgConnection::connect_with(&server).await.unwrap();
    conn.execute(AssertSqlSafe(format!("CREATE DATABASE {name}"))).await.unwrap();
    Some(Database { options: server.clone().database(&name), server, name })
}

impl Database {
    pub async fn drop_database(self) {
        let mut conn = PgConnection::connect_with(&self.server).await.unwrap();
        conn.execute(AssertSqlSafe(format!("DROP DATABASE {} WITH (FORCE)", self.name))).await.unwrap();
    }
}
