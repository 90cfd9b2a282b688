//! What stands on this side of Webex: the database, the disk, and the address under which the public reaches the service.

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::time::Duration;

use ringback_contract::problem::{Kind, Problem};
use secrecy::SecretString;
use url::{Host, Url};

use super::{Findings, Verdict};
use crate::config::Config;
use crate::guard::shared;
use crate::http::WEBHOOK_PATH;
use crate::network;
use crate::store::{self, StoreError, Use};
use crate::webex::client;

/// What a database of a hundred thousand callbacks takes, twice, so that a copy of it has room; in bytes.
const ROOM: u64 = 1 << 30;
/// Below this, intake is near its end; in bytes.
const LITTLE_ROOM: u64 = 100 << 20;
/// How long the service may take to answer at its public address.
const TIMEOUT: Duration = Duration::from_secs(5);

/// Examines the deployment.
pub(super) async fn examine(config: &Config, found: &mut Findings) {
    database(config, found).await;
    if !config.store.is_postgres() {
        disk(&config.store.path, found);
        readers(&config.store.path, found);
    }
    shared_limits(&config.limits.redis_url, found).await;
    let url = config.server.public_url.as_str();
    if url.is_empty() {
        return found.doubtful(
            PUBLIC_ADDRESS,
            "server.public_url",
            "is empty: links and the hosted pages work on this machine only",
            "set it to the address under which the public reaches the service",
        );
    }
    match flaw_of(url) {
        Some((what, remedy)) => found.wrong(PUBLIC_ADDRESS, url, what, remedy),
        None => found.good(PUBLIC_ADDRESS, url, "can be one that Webex sends webhooks to"),
    }
    reach(url, found).await;
}

const PUBLIC_ADDRESS: &str = "public_address";

async fn database(config: &Config, found: &mut Findings) {
    let postgres = config.store.is_postgres();
    let path = config.store.path.display().to_string();
    let subject = if postgres { "store.url" } else { path.as_str() };
    if !postgres && !config.store.path.exists() {
        return if folder_of(&config.store.path).is_dir() {
            found.good("database", subject, "is not there yet: the service makes it at its first start");
        } else {
            found.wrong(
                "database",
                subject,
                "its folder does not exist",
                "make the folder, or name another one",
            );
        };
    }
    match store::open(&config.store, Use::Command).await {
        Ok(_) => found.good("database", subject, "can be opened, and its schema is of this version"),
        Err(StoreError::Unopened { problem, remedy, .. }) => {
            found.wrong("database", subject, problem, &remedy);
        }
        Err(error) if postgres => found.wrong(
            "database",
            subject,
            error.to_string(),
            "see to it that the server runs, that the database is there, and that the user may make tables in it",
        ),
        Err(error) => found.wrong(
            "database",
            subject,
            error.to_string(),
            "name a file in a folder that the service may write to",
        ),
    }
}

async fn shared_limits(url: &SecretString, found: &mut Findings) {
    const CHECK: &str = "shared_limits";
    const SUBJECT: &str = "limits.redis_url";
    match shared::reach(url).await {
        None => {}
        Some(Ok(())) => found.good(CHECK, SUBJECT, "answers"),
        Some(Err(error)) => found.wrong(
            CHECK,
            SUBJECT,
            format!("each process counts for itself: {error}"),
            "see to it that the server runs and takes the password, or leave the key empty",
        ),
    }
}

fn disk(database: &Path, found: &mut Findings) {
    const CHECK: &str = "disk";
    let folder = folder_of(database);
    if !folder.is_dir() {
        return;
    }
    let subject = folder.display().to_string();
    match fs4::available_space(folder) {
        Err(error) => {
            let detail = format!("its free space cannot be read: {error}");
            found.doubtful(CHECK, &subject, detail, "see to it that there is room");
        }
        Ok(room) => {
            let (verdict, remedy) = room_for(room);
            found.add(CHECK, &subject, verdict, format!("{} MB are free", room >> 20), remedy);
        }
    }
}

/// Who else on this machine may read the file.
fn readers(database: &Path, found: &mut Findings) {
    let Ok(metadata) = database.metadata() else { return };
    let mode = metadata.permissions().mode() & 0o777;
    if mode & 0o007 != 0 {
        found.doubtful(
            "database_rights",
            &database.display().to_string(),
            format!("everybody on this machine may read it (mode {mode:o})"),
            "take that right away: chmod o-rwx on the file, and on those beside it that begin with its name",
        );
    }
}

fn folder_of(database: &Path) -> &Path {
    database.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

fn room_for(bytes: u64) -> (Verdict, Option<&'static str>) {
    const REMEDY: &str =
        "make room, or name a file on another disk in store.path: a full disk takes no callbacks in";
    match bytes {
        ..LITTLE_ROOM => (Verdict::Wrong, Some(REMEDY)),
        LITTLE_ROOM..ROOM => (Verdict::Doubtful, Some(REMEDY)),
        _ => (Verdict::Good, None),
    }
}

/// What keeps Webex from sending webhooks there: it takes public https addresses on port 443 alone.
fn flaw_of(url: &str) -> Option<(&'static str, &'static str)> {
    const TLS: &str = "put a proxy with TLS in front";
    let Ok(url) = Url::parse(url) else {
        return Some(("is no address", "write it as https://callback.example.com"));
    };
    if url.scheme() != "https" {
        return Some(("is not https: Webex sends no webhooks there", TLS));
    }
    if url.port().is_some() {
        return Some(("names a port: Webex sends webhooks to port 443 alone", TLS));
    }
    let is_public = match url.host() {
        Some(Host::Domain(name)) => name.contains('.') && !name.ends_with(".localhost"),
        Some(Host::Ipv4(address)) => network::is_public(address.into()),
        Some(Host::Ipv6(address)) => network::is_public(address.into()),
        None => false,
    };
    (!is_public).then_some((
        "is not public: Webex cannot reach it",
        "name the address under which the public reaches the service",
    ))
}

/// Whether this service is what answers at its public address, where webhooks go, as seen from this machine.
async fn reach(url: &str, found: &mut Findings) {
    const CHECK: &str = "webhook_address";
    let address = format!("{url}{WEBHOOK_PATH}");
    match asked(&address).await {
        Err(why) => found.doubtful(
            CHECK,
            &address,
            format!("nothing answers, as seen from this machine: {why}"),
            "start the service, and look at the name's DNS, the proxy and its certificate; where this machine alone cannot reach \
             it, look from outside",
        ),
        Ok(Answer { is_ours: true, .. }) => found.good(CHECK, &address, "is answered by the service"),
        Ok(Answer { status, .. }) => found.wrong(
            CHECK,
            &address,
            format!("something else answers there, with {status}"),
            "lead the whole host, or every path under it, to server.listen",
        ),
    }
}

struct Answer {
    status: u16,
    is_ours: bool,
}

/// What answers to a `GET` there, which the service refuses in words of its own.
async fn asked(address: &str) -> Result<Answer, String> {
    let client = network::http_client().timeout(TIMEOUT).build();
    let told = |error: reqwest::Error| client::described(error);
    let response = client.map_err(told)?.get(address).send().await.map_err(told)?;
    let status = response.status().as_u16();
    let problem = response.json::<Problem>().await;
    Ok(Answer { status, is_ours: problem.is_ok_and(|problem| problem.kind == Kind::MethodNotAllowed.uri()) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn webhooks_need_a_public_address_on_the_usual_port() {
        for sound in ["https://callback.example.com", "https://93.184.215.14"] {
            assert_eq!(flaw_of(sound), None, "{sound}");
        }
        for flawed in [
            "http://callback.example.com",
            "https://callback.example.com:8443",
            "https://localhost",
            "https://callback.localhost",
            "https://intranet",
            "https://10.1.2.3",
            "https://[::1]",
        ] {
            assert!(flaw_of(flawed).is_some(), "{flawed}");
        }
    }

    #[test]
    fn a_disk_that_fills_is_told_before_it_is_full() {
        assert_eq!(room_for(0).0, Verdict::Wrong);
        assert_eq!(room_for(LITTLE_ROOM).0, Verdict::Doubtful);
        assert_eq!(room_for(ROOM), (Verdict::Good, None));
    }
}
