//! How a house is furnished: the operator's configuration, and how the Webex side behaves.

use ringback_demo::organization::{Run, configuration};
use toml::{Table, Value};
use webex_simulator::{Options, Outcome, Pace, organization};

/// The key of the CRM. Its site is `acme`.
pub const API_KEY: &str = "test-key-of-the-crm-0123456789abcdef";
/// A key for every site.
pub const API_KEY_FOR_ALL: &str = "test-key-for-all-sites-0123456789abcd";
/// A key for the other site alone.
pub const API_KEY_OF_OTHER: &str = "test-key-of-the-other-0123456789abcde";
/// The secret of the webhook subscription.
pub const WEBHOOK_SECRET: &str = "test-webhook-secret-0123456789abcdef";
/// The key that seals tokens in the database.
pub const ENCRYPTION_KEY: &str = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";
/// The origin of the customer's pages.
pub const ORIGIN: &str = "https://www.acme.example";

/// Every limit that is a rate.
pub const LIMITS: [&str; 10] =
    ["address", "number", "site", "link", "key", "waited", "waited_site", "reads", "changes", "guesses"];

/// What differs from test to test.
#[derive(Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each is one piece of furniture that is there or not")]
pub struct Plan {
    /// The operator's file.
    pub(crate) config: Table,
    /// The environment of the service.
    pub(crate) environment: Vec<(String, String)>,
    /// The Webex side.
    pub(crate) webex: Options,
    /// Whether the Webex side knows where to send events.
    pub(crate) subscribed: bool,
    /// Whether the customer's website is there, for a browser.
    pub(crate) website: bool,
    /// Whether it is the place of both shops.
    pub(crate) shared_website: bool,
    /// Whether the service gets its tokens from Webex by itself.
    pub(crate) oauth: bool,
    /// Whether callbacks are kept in PostgreSQL, so that several services can share them.
    pub(crate) postgres: bool,
    /// Whether that PostgreSQL server is this house's own, and may be restarted.
    pub(crate) own_postgres: bool,
    /// Whether the way there can fall silent.
    pub(crate) wired_postgres: bool,
    /// The size of the disk that the database lies on, in megabytes, where it is one of its own.
    pub(crate) disk_megabytes: Option<u32>,
}

impl Plan {
    /// The organisation of the demo, another site, limits that no test meets by chance, and short waits.
    pub(crate) fn usual(folder: &std::path::Path) -> Self {
        let run = Run {
            folder,
            service_port: 0,
            ops_port: 0,
            webex: "http://127.0.0.1:9",
            webhook_secret: WEBHOOK_SECRET,
            api_key: API_KEY,
            origins: &[ORIGIN.to_owned()],
        };
        let config = configuration(&run).expect("the demo's configuration").parse().expect("TOML");
        let mut plan = Self {
            config,
            environment: Vec::new(),
            webex: Options::for_tests(),
            subscribed: true,
            website: false,
            shared_website: false,
            postgres: false,
            own_postgres: false,
            wired_postgres: false,
            oauth: false,
            disk_megabytes: None,
        };
        for limit in LIMITS {
            plan.limit(limit, 10_000, 1);
        }
        // Tests ask more often than visitors do, and for one number again and again.
        plan.set("limits.cooldown_s", 0);
        plan.set("proof.most_bits", 0);
        plan.set("limits.typing_ms", 0);
        plan.set("server.workers", 1);
        plan.set("webex.connect_timeout_ms", 2000);
        plan.set("webex.request_timeout_ms", 2000);
        // Tests ask often, and the Webex side counts only where a test says so.
        plan.set("webex.requests_per_minute", 0);
        plan.set("delivery.lease_s", 3);
        plan.set("delivery.retry_s", vec![1]);
        plan.set("delivery.search_grace_s", 1);
        plan.set("log.level", "trace");
        plan.set("sites.acme.countries", vec!["US", "DE"]);
        // No number of the house is among the thousands that some tests ask for.
        plan.unset("sites.acme.phone");
        plan.set("sites.other.name", "Other Shop");
        plan.set("sites.other.origins", vec!["https://www.other.example"]);
        plan.set("sites.other.entry_point", organization::CALLBACK_ENTRY_POINT);
        plan.set("agents.omar.sites", vec!["other"]);
        plan.set("api_keys.all.key", API_KEY_FOR_ALL);
        plan.set("api_keys.other.key", API_KEY_OF_OTHER);
        plan.set("api_keys.other.sites", vec!["other"]);
        plan
    }

    /// Sets a key of the operator's file, such as `delivery.deadline_s`.
    pub fn set(&mut self, key: &str, value: impl Into<Value>) {
        let (sections, last) = key.rsplit_once('.').expect("a section and a key");
        let mut table = &mut self.config;
        for section in sections.split('.') {
            let entry = table.entry(section).or_insert_with(|| Table::new().into());
            table = entry.as_table_mut().expect("a section");
        }
        table.insert(last.to_owned(), value.into());
    }

    /// Takes a key or a section out of the operator's file.
    pub fn unset(&mut self, key: &str) {
        let (sections, last) = key.rsplit_once('.').unwrap_or(("", key));
        let mut table = &mut self.config;
        for section in sections.split('.').filter(|section| !section.is_empty()) {
            table = table.get_mut(section).and_then(Value::as_table_mut).expect("a section");
        }
        table.remove(last);
    }

    /// Has the service get its tokens from Webex by itself.
    pub fn oauth(&mut self) {
        self.oauth = true;
        self.unset("webex.access_token");
        self.set("webex.oauth.client_id", organization::CLIENT_ID);
        self.set("webex.oauth.client_secret", organization::CLIENT_SECRET);
        self.set("webex.oauth.redirect_port", i64::from(ringback_test_postgres::free_port()));
        self.set("store.encryption_key", ENCRYPTION_KEY);
    }

    /// The site takes callbacks by a preferred agent.
    pub fn preferred_agents(&mut self, site: &str) {
        self.set(&format!("sites.{site}.preferred_agent.entry_point"), organization::FLOW_ENTRY_POINT);
        self.set(&format!("sites.{site}.preferred_agent.ani"), organization::DEFAULT_ANI);
    }

    /// For how long the tokens are good that Webex issues, in seconds.
    pub fn token_lifetimes_s(&mut self, access: i64, refresh: i64) {
        self.webex.settings.access_token_lifetime_s = access;
        self.webex.settings.refresh_token_lifetime_s = refresh;
    }

    /// Keeps callbacks in PostgreSQL, so that several services can share them.
    pub fn postgres(&mut self) {
        self.postgres = true;
    }

    /// The same on a server of its own, which the test may restart.
    pub fn own_postgres(&mut self) {
        self.postgres = true;
        self.own_postgres = true;
    }

    /// The same on the server of all, over a way there that can fall silent.
    pub fn wired_postgres(&mut self) {
        self.postgres = true;
        self.wired_postgres = true;
    }

    /// Keeps the SQLite database on a disk of that size, half of which is filled.
    pub fn small_disk(&mut self, megabytes: u32) {
        self.disk_megabytes = Some(megabytes);
    }

    /// Sets one of the limits, to one rate.
    pub fn limit(&mut self, name: &str, requests: i64, per_s: i64) {
        self.limits(name, &[(requests, per_s)]);
    }

    /// Sets a limit of several windows: so many requests each in so many seconds.
    pub fn limits(&mut self, name: &str, windows: &[(i64, i64)]) {
        let window = |(requests, per_s): &(i64, i64)| {
            Table::from_iter(
                [("requests", *requests), ("per_s", *per_s)]
                    .map(|(key, value)| (key.to_owned(), value.into())),
            )
        };
        self.set(&format!("limits.{name}"), windows.iter().map(window).collect::<Vec<_>>());
    }

    /// Sets a variable of the service's environment.
    pub fn environment(&mut self, name: &str, value: &str) {
        self.environment.push((name.to_owned(), value.to_owned()));
    }

    /// How many calls a minute the Webex side takes.
    pub fn webex_rate_limit(&mut self, per_minute: u32) {
        self.webex.settings.rate_limit_per_minute = Some(per_minute);
    }

    /// How fast calls go by themselves.
    pub fn pace(&mut self, pace: Pace) {
        self.webex.settings.pace = pace;
    }

    /// How calls go.
    pub fn outcome(&mut self, outcome: Outcome) {
        self.webex.settings.outcome = outcome;
    }

    /// How long the search does not show a new task.
    pub fn search_lag_ms(&mut self, lag: u64) {
        self.webex.settings.search_lag_ms = lag;
    }

    /// No events: the Webex side is not told where to send them.
    pub fn unsubscribed(&mut self) {
        self.subscribed = false;
    }

    /// Opens the customer's website, so that a browser can look at it.
    pub fn with_website(&mut self) {
        self.website = true;
    }

    /// Opens one website for both shops.
    pub fn with_shared_website(&mut self) {
        self.with_website();
        self.shared_website = true;
    }
}
