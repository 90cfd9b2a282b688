//! Limits that all processes count together, at a server that speaks Redis' protocol. Where it is away, each process counts
//! for itself: a limit that is a little too generous is better than a callback that is not taken.

use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use redis::aio::MultiplexedConnection;
use redis::{AsyncConnectionConfig, Client, RedisError, Script};
use secrecy::{ExposeSecret as _, SecretString};
use tokio::runtime::Handle;

use crate::clock::{SharedClock, after_ms, is_ahead};
use crate::token::Signer;

/// How long a connection may take. A request never waits for one.
const CONNECT: Duration = Duration::from_secs(1);
/// How long a request waits for the server to count it.
const ANSWER: Duration = Duration::from_millis(250);
/// How long the server is left alone once it was away, in milliseconds.
const PAUSE_MS: u64 = 1000;

/// The generic cell rate algorithm (ITU-T I.371), by the server's clock, so that those of the processes do not matter. The
/// key holds the moment at which the whole limit is there again, in microseconds, and goes then.
const GCRA: &str = r"
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local interval, burst = tonumber(ARGV[1]), tonumber(ARGV[2])
local whole_at = math.max(tonumber(redis.call('GET', KEYS[1]) or now), now) + interval
local allowed_at = whole_at - interval * burst
if allowed_at > now then
  return {0, 0, allowed_at - now}
end
redis.call('SET', KEYS[1], string.format('%.0f', whole_at), 'PX', math.ceil((whole_at - now) / 1000))
return {1, math.floor((now - allowed_at) / interval), whole_at - now}
";

/// The counting server.
pub struct SharedLimits {
    client: Client,
    script: Script,
    link: Mutex<Link>,
    signer: Arc<Signer>,
    clock: SharedClock,
    runtime: Handle,
}

/// What the server says of one request.
pub(super) struct Counted {
    pub(super) allowed: bool,
    pub(super) remaining: u32,
    pub(super) reset: Duration,
}

enum Link {
    /// It counts.
    Up(MultiplexedConnection),
    /// It is away: when it is asked again, and why.
    Down { again_at: jiff::Timestamp, why: String },
}

impl std::fmt::Debug for SharedLimits {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // The address may hold a password.
        formatter.debug_struct("SharedLimits").finish_non_exhaustive()
    }
}

impl SharedLimits {
    /// The server at that address (`redis://` or `rediss://`), `None` where it is empty; tries to reach it, and goes on
    /// without.
    pub async fn open(
        url: &SecretString,
        signer: Arc<Signer>,
        clock: SharedClock,
    ) -> Result<Option<Arc<Self>>, RedisError> {
        if url.expose_secret().is_empty() {
            return Ok(None);
        }
        // `rediss` takes the provider of cryptography that the process has.
        crate::network::choose_cryptography();
        let shared = Arc::new(Self {
            client: Client::open(url.expose_secret())?,
            script: Script::new(GCRA),
            link: Mutex::new(Link::Down { again_at: clock.now(), why: "not reached yet".to_owned() }),
            signer,
            clock,
            runtime: Handle::current(),
        });
        shared.connect().await;
        Ok(Some(shared))
    }

    /// Why limits are not shared at present; `None`: they are.
    pub fn trouble(&self) -> Option<String> {
        match &*self.link.lock() {
            Link::Up(_) => None,
            Link::Down { why, .. } => Some(format!("each process counts for itself: {why}")),
        }
    }

    /// Counts one request of a caller; `None`: the server is away.
    pub(super) async fn count(
        self: &Arc<Self>,
        limit: &str,
        caller: &str,
        interval: Duration,
        burst: u32,
    ) -> Option<Counted> {
        let mut connection = self.connection()?;
        // Whoever reads the server's memory learns nobody's address or number.
        let key = format!("ringback:limit:{limit}:{}", self.signer.pseudonym(caller));
        let counted: Result<(u8, u32, u64), RedisError> = self
            .script
            .key(key)
            .arg(u64::try_from(interval.as_micros()).unwrap_or(u64::MAX))
            .arg(burst)
            .invoke_async(&mut connection)
            .await;
        match counted {
            Ok((allowed, remaining, reset_us)) => {
                Some(Counted { allowed: allowed == 1, remaining, reset: Duration::from_micros(reset_us) })
            }
            Err(error) => {
                self.lost(&error);
                None
            }
        }
    }

    fn connection(self: &Arc<Self>) -> Option<MultiplexedConnection> {
        let now = self.clock.now();
        let mut link = self.link.lock();
        match &mut *link {
            Link::Up(connection) => return Some(connection.clone()),
            Link::Down { again_at, .. } if is_ahead(*again_at, now, Duration::from_millis(PAUSE_MS)) => {
                return None;
            }
            Link::Down { again_at, .. } => *again_at = after_ms(now, PAUSE_MS),
        }
        let shared = Arc::clone(self);
        self.runtime.spawn(async move { shared.connect().await });
        None
    }

    async fn connect(&self) {
        match connected(&self.client).await {
            Ok(connection) => {
                *self.link.lock() = Link::Up(connection);
                tracing::info!("limits are shared");
            }
            Err(error) => self.lost(&error),
        }
    }

    fn lost(&self, error: &RedisError) {
        let why = error.to_string();
        let mut link = self.link.lock();
        let is_news = !matches!(&*link, Link::Down { why: known, .. } if *known == why);
        *link = Link::Down { again_at: after_ms(self.clock.now(), PAUSE_MS), why };
        drop(link);
        if is_news {
            tracing::warn!(%error, "the server that shares limits is away: each process counts for itself");
        }
    }
}

async fn connected(client: &Client) -> Result<MultiplexedConnection, RedisError> {
    let config =
        AsyncConnectionConfig::new().set_connection_timeout(Some(CONNECT)).set_response_timeout(Some(ANSWER));
    client.get_multiplexed_async_connection_with_config(&config).await
}

/// Whether the server at that address answers; `None`: there is no address.
pub async fn reach(url: &SecretString) -> Option<Result<(), RedisError>> {
    if url.expose_secret().is_empty() {
        return None;
    }
    crate::network::choose_cryptography();
    let answer = async {
        let mut connection = connected(&Client::open(url.expose_secret())?).await?;
        redis::cmd("PING").query_async::<()>(&mut connection).await
    };
    Some(answer.await)
}
