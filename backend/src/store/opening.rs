//! What keeps a store from being opened, in words that name the key and the remedy.

use std::io;
use std::path::{Path, PathBuf};
use std::str::FromStr as _;
use std::time::Duration;

use secrecy::ExposeSecret as _;
use sqlx::postgres::PgConnectOptions;
use sqlx::{ConnectOptions as _, Connection as _};

use super::StoreError;
use crate::config;

/// How long a server may take to let us in.
const PATIENCE: Duration = Duration::from_secs(5);

/// What is wrong, and what to do about it.
type Flaw = (String, String);

/// Refuses a command that would make a new database where it was to look into one.
pub(super) fn is_there(config: &config::Store) -> Result<(), StoreError> {
    if config.is_postgres() || config.path.exists() {
        return Ok(());
    }
    let remedy = "name the file that the service uses, or make it with `ringback migrate`";
    Err(unopened(
        config,
        folder_flaw(&config.path).unwrap_or(("there is no such file".to_owned(), remedy.to_owned())),
    ))
}

/// Looks for what a database itself would not tell, or tell late.
pub(super) async fn examine(config: &config::Store) -> Result<(), StoreError> {
    let flaw = if config.is_postgres() { server_flaw(config).await } else { file_flaw(&config.path) };
    flaw.map_or(Ok(()), |flaw| Err(unopened(config, flaw)))
}

/// What went wrong while the store was opened, with its place. What says already what to do stays as it is.
pub(super) fn explained(config: &config::Store, error: StoreError) -> StoreError {
    let StoreError::Database { operation, source } = &error else { return error };
    let source: &(dyn std::error::Error + 'static) = source.as_ref();
    let flaw = if config.is_postgres() {
        (format!("{operation}: {source}"), SERVER_REMEDY.to_owned())
    } else {
        answered(operation, source)
    };
    unopened(config, flaw)
}

const SERVER_REMEDY: &str = "see to it that PostgreSQL runs there, that the database is there, that user and password are right, and that \
     the user may make tables in it";

const RIGHTS_REMEDY: &str =
    "let the user that runs ringback write to the file and to its folder, where SQLite keeps files beside it";

fn unopened(config: &config::Store, (problem, remedy): Flaw) -> StoreError {
    StoreError::Unopened { place: place(config), problem, remedy }
}

/// The key and what it names, without what is secret.
fn place(config: &config::Store) -> String {
    if config.is_postgres() {
        return PgConnectOptions::from_str(config.url.expose_secret()).map_or_else(
            |_| "store.url".to_owned(),
            |server| {
                let database =
                    server.get_database().map_or(String::new(), |name| format!(", database {name}"));
                format!("store.url ({}:{}{database})", server.get_host(), server.get_port())
            },
        );
    }
    // A name without a folder is looked for in the working folder, which may not be the one that was meant.
    let path = std::path::absolute(&config.path).unwrap_or_else(|_| config.path.clone());
    format!("store.path {}", path.display())
}

fn file_flaw(path: &Path) -> Option<Flaw> {
    if path.is_dir() {
        let inside: PathBuf = path.join("ringback.db");
        return Some((
            "it is a folder".to_owned(),
            format!("name a file in it, such as {}", inside.display()),
        ));
    }
    folder_flaw(path)
}

fn folder_flaw(path: &Path) -> Option<Flaw> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty())?;
    let problem = match folder.metadata() {
        Ok(metadata) if metadata.is_dir() => return None,
        Ok(_) => "its folder is a file",
        Err(error) if error.kind() == io::ErrorKind::NotFound => "its folder does not exist",
        Err(_) => return None,
    };
    Some((problem.to_owned(), "make the folder, or name a file in another one".to_owned()))
}

/// One connection, before a pool tries again and again and tells of its own patience alone.
async fn server_flaw(config: &config::Store) -> Option<Flaw> {
    let server = PgConnectOptions::from_str(config.url.expose_secret()).ok()?;
    let problem = match tokio::time::timeout(PATIENCE, server.connect()).await {
        Ok(Ok(connection)) => {
            // What it says when it is left is no flaw of the server.
            let _ = connection.close().await;
            return None;
        }
        Ok(Err(error)) => error.to_string(),
        Err(_) => format!("nothing answers within {} s", PATIENCE.as_secs()),
    };
    Some((problem, SERVER_REMEDY.to_owned()))
}

/// What the system or SQLite has said of a file (SQLite documentation, "Result and Error Codes").
fn answered(operation: &str, source: &(dyn std::error::Error + 'static)) -> Flaw {
    const READ_ONLY: u32 = 8;
    const CANNOT_OPEN: u32 = 14;
    const NOT_A_DATABASE: u32 = 26;
    let system = source.downcast_ref::<io::Error>().map(io::Error::kind);
    let code = source.downcast_ref::<sqlx::Error>().and_then(sqlx::Error::as_database_error);
    // What goes beyond the lowest byte says more closely what is meant by that.
    let code = code.and_then(|answer| Some(answer.code()?.parse::<u32>().ok()? & 0xff));
    match (system, code) {
        (Some(io::ErrorKind::PermissionDenied), _) | (_, Some(CANNOT_OPEN | READ_ONLY)) => {
            ("this user may not write there".to_owned(), RIGHTS_REMEDY.to_owned())
        }
        (_, Some(NOT_A_DATABASE)) => (
            "it is no SQLite database, or one that is damaged; nothing was changed in it".to_owned(),
            "name another file, or put the last backup in its place".to_owned(),
        ),
        _ => (
            format!("{operation}: {source}"),
            "see to it that the file can be read and written, and that its disk has room".to_owned(),
        ),
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::store::{Use, make, open};

    fn of(path: &Path, url: &str) -> config::Store {
        config::Store::sample(path, url, "")
    }

    async fn told(config: &config::Store, purpose: Use) -> String {
        open(config, purpose).await.expect_err("it must not open").to_string()
    }

    #[tokio::test]
    async fn what_keeps_a_file_from_being_opened_is_told_with_its_key_and_a_remedy() {
        let folder = tempfile::tempdir().unwrap();
        let text = folder.path().join("notes.txt");
        fs::write(&text, "no database at all, and long enough to be read as the head of one".repeat(9))
            .unwrap();
        for (path, problem) in [
            (folder.path().join("nowhere/ringback.db"), "its folder does not exist"),
            (text.join("ringback.db"), "its folder is a file"),
            (folder.path().to_owned(), "it is a folder"),
            (text.clone(), "it is no SQLite database"),
        ] {
            for purpose in [Use::Serve, Use::Command] {
                let told = told(&of(&path, ""), purpose).await;
                let place = format!("store.path {}: ", path.display());
                assert!(told.starts_with(&place) && told.contains("; hint: "), "{told}");
                assert!(told.contains(problem), "{told}");
            }
        }
        assert!(!folder.path().join("nowhere").exists());
    }

    #[tokio::test]
    async fn a_command_makes_no_database_where_it_was_to_look_into_one() {
        let folder = tempfile::tempdir().unwrap();
        let config = of(&folder.path().join("rignback.db"), "");
        let told = told(&config, Use::Command).await;
        assert!(
            told.contains("there is no such file; hint: ") && told.contains("ringback migrate"),
            "{told}"
        );
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
        drop(make(&config).await.unwrap());
        open(&config, Use::Command).await.unwrap();
    }

    #[tokio::test]
    async fn a_server_that_does_not_answer_is_named_without_its_password() {
        let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let url = format!("postgres://ringback:s3cret@{free}/callbacks");
        let told = told(&of(Path::new("ringback.db"), &url), Use::Serve).await;
        assert!(told.starts_with(&format!("store.url ({free}, database callbacks): ")), "{told}");
        assert!(told.contains("refused") && told.contains("; hint: ") && !told.contains("s3cret"), "{told}");
    }

    #[test]
    fn who_may_not_write_is_told_so_in_words() {
        let denied = io::Error::from(io::ErrorKind::PermissionDenied);
        let (problem, remedy) = answered("lock", &denied);
        assert!(problem.contains("may not write") && remedy.contains("folder"), "{problem}, {remedy}");
    }
}
