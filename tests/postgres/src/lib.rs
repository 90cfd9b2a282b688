//! A PostgreSQL server for the tests of one process, with a database for each test.
//!
//! The server runs on a port and in a folder of its own, and goes when the process goes, however that ends: a shell
//! that waits for the end of a pipe stops it.

use std::io::Write as _;
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use sqlx::{Connection as _, PgConnection};
use tokio::sync::OnceCell;

/// How often to look whether the server answers, and how many times at most.
const LOOKS: (Duration, u32) = (Duration::from_millis(100), 600);

static SHARED: OnceCell<Server> = OnceCell::const_new();

/// The server.
#[derive(Debug)]
pub struct Server {
    port: u16,
    databases: AtomicUsize,
    // Its standard input is the pipe that keeps the server alive; a line in it restarts the server.
    watch: Mutex<Child>,
}

impl Server {
    /// The server of this process; the first call starts it.
    ///
    /// # Panics
    ///
    /// Where PostgreSQL is not installed (`cargo xtask test` installs it) or does not start.
    pub async fn shared() -> &'static Self {
        SHARED.get_or_init(Self::start).await
    }

    /// Makes an empty database and gives its address.
    ///
    /// # Panics
    ///
    /// Where the server does not make it.
    #[expect(clippy::expect_used, reason = "a test that has no database has failed")]
    pub async fn database(&self) -> String {
        let name = format!("test_{}", self.databases.fetch_add(1, Ordering::Relaxed));
        let mut connection = PgConnection::connect(&self.url("postgres")).await.expect("the server answers");
        let statement = sqlx::AssertSqlSafe(format!("CREATE DATABASE {name}"));
        sqlx::query(statement).execute(&mut connection).await.expect("a database");
        connection.close().await.expect("a connection that closes");
        self.url(&name)
    }

    fn url(&self, database: &str) -> String {
        format!("postgres://postgres@127.0.0.1:{}/{database}", self.port)
    }

    /// Ends the server as a crash of it would, and starts it again: every connection is cut, what was committed stays.
    ///
    /// # Panics
    ///
    /// Where it does not come back.
    #[expect(clippy::expect_used, reason = "a test that has no database has failed")]
    pub async fn restart(&self) {
        let before = self.started_at().await;
        {
            let mut watch = self.watch.lock().unwrap_or_else(PoisonError::into_inner);
            watch.stdin.as_mut().expect("a pipe").write_all(b"restart\n").expect("a shell that reads");
        }
        let (pause, looks) = LOOKS;
        for _ in 0..looks {
            if self.started_at().await.is_some_and(|started_at| Some(started_at) != before) {
                return;
            }
            tokio::time::sleep(pause).await;
        }
        panic!("PostgreSQL does not come back");
    }

    async fn started_at(&self) -> Option<String> {
        let mut connection = PgConnection::connect(&self.url("postgres")).await.ok()?;
        let asked = sqlx::query_scalar("SELECT pg_postmaster_start_time()::text");
        asked.fetch_one(&mut connection).await.ok()
    }

    /// A server of the caller's own, which nobody else minds being restarted.
    ///
    /// # Panics
    ///
    /// As [`Self::shared`].
    #[expect(clippy::expect_used, reason = "a test that has no database has failed")]
    pub async fn start() -> Self {
        let programs =
            programs().expect("PostgreSQL is not installed; hint: run the tests with `cargo xtask test`");
        let folder =
            tempfile::Builder::new().prefix("ringback-postgres-").tempdir().expect("a folder").keep();
        // The server refuses to run as root, and its own user must be able to use the folder.
        let as_postgres = is_root();
        std::fs::set_permissions(&folder, std::fs::Permissions::from_mode(0o700)).expect("a folder");
        if as_postgres {
            let owned = Command::new("chown").arg("postgres:postgres").arg(&folder).status();
            assert!(owned.is_ok_and(|status| status.success()), "there is no user postgres");
        }
        let data = folder.join("data");
        let mut initialize = command(as_postgres, &programs.join("initdb"));
        initialize
            .args(["--username=postgres", "--auth=trust", "--encoding=UTF8", "--no-sync", "--pgdata"])
            .arg(&data);
        let output = initialize.current_dir(&folder).output().expect("initdb starts");
        assert!(output.status.success(), "initdb failed: {}", String::from_utf8_lossy(&output.stderr));
        let port = free_port();
        let watch = watched(as_postgres, &programs.join("postgres"), &data, &folder, port);
        let server = Self { port, databases: AtomicUsize::new(0), watch: Mutex::new(watch) };
        server.wait().await;
        server
    }

    async fn wait(&self) {
        let (pause, looks) = LOOKS;
        for _ in 0..looks {
            if PgConnection::connect(&self.url("postgres")).await.is_ok() {
                return;
            }
            tokio::time::sleep(pause).await;
        }
        panic!("PostgreSQL does not answer");
    }
}

/// The server under a shell that stops it, and takes its folder away, when this process closes the pipe or ends.
#[expect(clippy::expect_used, reason = "a test that has no database has failed")]
fn watched(as_postgres: bool, postgres: &Path, data: &Path, folder: &Path, port: u16) -> Child {
    const SCRIPT: &str = r#"
        "$0" "$@" >"$FOLDER/log" 2>&1 </dev/null &
        server=$!
        while read -r _; do
            kill -QUIT "$server"
            wait "$server"
            "$0" "$@" >>"$FOLDER/log" 2>&1 </dev/null &
            server=$!
        done
        kill -QUIT "$server"
        wait "$server"
        rm -rf "$FOLDER"
    "#;
    let mut shell = command(as_postgres, Path::new("sh"));
    shell.arg("-c").arg(SCRIPT).arg(postgres).arg("-D").arg(data).args(["-p", &port.to_string()]);
    for setting in ["listen_addresses=127.0.0.1", "unix_socket_directories=", "max_connections=400"] {
        shell.args(["-c", setting]);
    }
    shell.env("FOLDER", folder).current_dir(folder);
    shell.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("a shell")
}

/// A command, run by the user `postgres` where this process is root's.
fn command(as_postgres: bool, program: &Path) -> Command {
    if !as_postgres {
        return Command::new(program);
    }
    let mut command = Command::new("setpriv");
    command.args(["--reuid=postgres", "--regid=postgres", "--clear-groups", "--"]).arg(program);
    command
}

fn is_root() -> bool {
    Command::new("id").arg("-u").output().is_ok_and(|output| output.stdout.trim_ascii() == b"0")
}

/// The folder of PostgreSQL's programs: Debian keeps them out of the path, by version.
pub fn programs() -> Option<PathBuf> {
    let has_server = |folder: &PathBuf| folder.join("initdb").is_file() && folder.join("postgres").is_file();
    let path = std::env::var_os("PATH").unwrap_or_default();
    let versions = Path::new("/usr/lib/postgresql").read_dir().into_iter().flatten().flatten();
    let mut versions: Vec<PathBuf> = versions.map(|version| version.path().join("bin")).collect();
    versions.sort();
    versions.into_iter().rev().chain(std::env::split_paths(&path)).find(has_server)
}

/// A port that is free and that nobody is given by chance: below those that systems hand out for port 0 and for
/// outgoing connections (32768 and up on Linux, 49152 and up by RFC 6335).
///
/// # Panics
///
/// Where every such port is taken.
pub fn free_port() -> u16 {
    const FIRST: u32 = 10_000;
    const COUNT: u32 = 22_000;
    static NEXT: AtomicU32 = AtomicU32::new(0);
    for _ in 0..COUNT {
        // Each process begins elsewhere, and no process takes one port twice.
        let step = NEXT.fetch_add(1, Ordering::Relaxed);
        let port = FIRST + std::process::id().wrapping_mul(97).wrapping_add(step) % COUNT;
        if let Ok(port) = u16::try_from(port)
            && TcpListener::bind(("127.0.0.1", port)).is_ok()
        {
            return port;
        }
    }
    panic!("no port is free");
}
