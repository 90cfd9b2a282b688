//! One service with its own database, its own Webex and its own folder.

use std::io::Write as _;
use std::path::PathBuf;
use std::process::{ExitStatus, Output, Stdio};
use std::time::Duration;

use reqwest::{Client, Method, RequestBuilder};
use ringback_contract::callback::{Accepted, State};
use ringback_contract::request::IDEMPOTENCY_KEY;
use ringback_demo::website::Website;
use ringback_test_postgres::{Server, free_port};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;
use url::Url;
use webex_simulator::{Control, Simulator, Task, organization};

use crate::answer::Answer;
use crate::eventually::eventually;
use crate::follower::Follower;
use crate::log::{Captured, Private};
use crate::plan::{self, API_KEY, ORIGIN, Plan};
use crate::service::{self, Service};
use crate::small_disk::SmallDisk;
use crate::visitor;
use crate::wire::Wire;

/// The house.
pub struct House {
    service: Option<Service>,
    /// The Webex side.
    pub webex: Simulator,
    /// The customer's website.
    website: Option<String>,
    stop_website: CancellationToken,
    /// A client that asks no proxy and follows no redirect.
    pub http: Client,
    folder: TempDir,
    environment: Vec<(String, String)>,
    disk: Option<SmallDisk>,
    postgres: Option<Server>,
    /// The database itself, and the way to it.
    wire: Option<(String, Wire)>,
    log: Captured,
    /// What must not stand in the log.
    pub private: Private,
    url: String,
    ops_url: String,
}

impl House {
    /// A house with the usual plan.
    pub async fn open() -> Self {
        Self::with(|_| {}).await
    }

    /// A house with some things changed.
    pub async fn with(change: impl FnOnce(&mut Plan)) -> Self {
        let mut house = Self::without_service(change).await;
        house.start().await;
        house
    }

    /// A house whose service is not started yet.
    pub async fn without_service(change: impl FnOnce(&mut Plan)) -> Self {
        // The tests' own client needs one, whatever runs beside it; a second call changes nothing.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let folder = tempfile::Builder::new().prefix("ringback-test-").tempdir().expect("a folder");
        let mut plan = Plan::usual(folder.path());
        change(&mut plan);
        let webex = Simulator::start(plan.webex.clone()).await.expect("the simulator starts");
        // What a plan says on purpose stays.
        if plan.config["webex"]["base_url"].as_str() == Some("http://127.0.0.1:9") {
            plan.set("webex.base_url", webex.base_url());
        }
        if plan.oauth {
            plan.set("webex.oauth.base_url", webex.base_url());
        }
        let website = plan.website.then(|| Website::bind(0).expect("a port"));
        if let Some(website) = &website {
            plan.set("sites.acme.origins", website.origins().to_vec());
            if plan.shared_website {
                plan.set("sites.other.origins", website.origins().to_vec());
            }
        }
        let postgres = if plan.own_postgres { Some(Server::start().await) } else { None };
        if plan.postgres {
            let server = match &postgres {
                Some(own) => own,
                None => Server::shared().await,
            };
            plan.set("store.url", server.database().await);
        }
        let mut wire = None;
        if plan.wired_postgres {
            let direct = plan.config["store"]["url"].as_str().expect("an address").to_owned();
            let mut url = Url::parse(&direct).expect("an address");
            let way = Wire::to(url.port().expect("a port")).await;
            url.set_port(Some(way.port)).expect("a port");
            plan.set("store.url", url.to_string());
            wire = Some((direct, way));
        }
        let disk = plan.disk_megabytes.map(|megabytes| {
            let folder = folder.path().join("disk");
            std::fs::create_dir(&folder).expect("a folder");
            plan.set("store.path", folder.join("ringback.db").to_str().expect("text"));
            SmallDisk { folder, megabytes }
        });
        // The service keeps its address over restarts, so it has to be known before the first.
        let (port, ops_port) = (free_port(), free_port());
        if plan.config["server"]["listen"].as_str() == Some("127.0.0.1:0") {
            plan.set("server.listen", format!("127.0.0.1:{port}"));
            plan.set("server.ops_listen", format!("127.0.0.1:{ops_port}"));
        }
        std::fs::write(folder.path().join("ringback.toml"), plan.config.to_string()).expect("a file");
        let stop_website = CancellationToken::new();
        let house = Self {
            service: None,
            webex,
            website: website.as_ref().map(Website::url),
            stop_website: stop_website.clone(),
            http: Client::builder()
                .no_proxy()
                .redirect(reqwest::redirect::Policy::none())
                // Servers close theirs after five seconds; a request must not be sent down one that is just being closed.
                .pool_idle_timeout(Duration::from_secs(2))
                .build()
                .expect("a client"),
            folder,
            environment: plan.environment,
            disk,
            postgres,
            wire,
            log: Captured::default(),
            private: Private::default(),
            url: format!("http://127.0.0.1:{port}"),
            ops_url: format!("http://127.0.0.1:{ops_port}"),
        };
        if let Some(website) = website {
            let url = house.url.clone();
            tokio::spawn(async move { website.serve(&url, stop_website).await.expect("the website") });
        }
        for private in [
            API_KEY,
            plan::API_KEY_FOR_ALL,
            plan::API_KEY_OF_OTHER,
            plan::WEBHOOK_SECRET,
            organization::ACCESS_TOKEN,
            organization::REFRESH_TOKEN,
            organization::CLIENT_SECRET,
            plan::ENCRYPTION_KEY,
            organization::GRACE_EMAIL,
            organization::OMAR_EMAIL,
            organization::MIA_EMAIL,
            organization::LEA_EMAIL,
            visitor::NAME,
            visitor::PHONE,
            visitor::PHONE_E164,
            visitor::EMAIL,
            visitor::MESSAGE,
        ] {
            house.private.add(private);
        }
        if plan.subscribed {
            house.subscribe().await;
        }
        house
    }

    /// Starts the service, where it does not run.
    pub async fn start(&mut self) {
        let started = self.try_start().await;
        assert!(started.is_ok(), "the service ended with {started:?}:\n{}", self.log());
    }

    /// Starts the service; gives how it ended where it did.
    pub async fn try_start(&mut self) -> Result<(), ExitStatus> {
        let service =
            Service::start_on(self.disk.as_ref(), &self.config_file(), &self.environment, &self.log).await?;
        self.url.clone_from(&service.url);
        self.ops_url.clone_from(&service.ops_url);
        self.service = Some(service);
        Ok(())
    }

    /// Starts one more service beside the house's own: with the same configuration, on ports of its own.
    pub async fn start_beside(&self) -> Service {
        self.start_beside_at(0, 0).await
    }

    /// The same on those ports; 0 takes a free one.
    pub async fn start_beside_at(&self, port: u16, ops_port: u16) -> Service {
        let mut environment = self.environment.clone();
        for (key, port) in [("LISTEN", port), ("OPS_LISTEN", ops_port)] {
            environment.push((format!("RINGBACK__SERVER__{key}"), format!("127.0.0.1:{port}")));
        }
        let started = Service::start(&self.config_file(), &environment, &self.log).await;
        started.unwrap_or_else(|status| panic!("the service ended with {status}:\n{}", self.log()))
    }

    /// Restarts its own PostgreSQL server.
    pub async fn restart_postgres(&self) {
        self.postgres.as_ref().expect("the plan has no PostgreSQL server of its own").restart().await;
    }

    /// Silences every connection that the service has to PostgreSQL.
    pub fn silence_postgres(&self) {
        self.wire.as_ref().expect("the plan has no way that can fall silent").1.silence();
    }

    /// The address of the database, past the way that can fall silent.
    pub fn direct_postgres(&self) -> &str {
        &self.wire.as_ref().expect("the plan has no way that can fall silent").0
    }

    /// The running service.
    pub fn service(&mut self) -> &mut Service {
        self.service.as_mut().expect("the service does not run")
    }

    /// Takes the service out, to stop it or to wait for its end.
    pub fn take_service(&mut self) -> Service {
        self.service.take().expect("the service does not run")
    }

    /// Stops the service in good order.
    pub async fn stop(&mut self) -> ExitStatus {
        self.take_service().stop().await
    }

    /// Stops the service, changes the operator's file, and starts it again.
    pub async fn restart_with(&mut self, change: impl FnOnce(&mut toml::Table)) {
        self.stop().await;
        let text = std::fs::read_to_string(self.config_file()).expect("the operator's file");
        let mut config = text.parse().expect("TOML");
        change(&mut config);
        std::fs::write(self.config_file(), config.to_string()).expect("a file");
        self.start().await;
    }

    /// Ends the service at once.
    pub async fn kill(&mut self) {
        self.take_service().kill().await;
    }

    /// The address of the service's public door, also while it does not run.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The address of the operators' door.
    pub fn ops_url(&self) -> &str {
        &self.ops_url
    }

    /// The address of the customer's website.
    pub fn website(&self) -> &str {
        self.website.as_deref().expect("the plan has no website")
    }

    /// The operator's file.
    pub fn config_file(&self) -> PathBuf {
        self.folder.path().join("ringback.toml")
    }

    /// The service's folder.
    pub fn folder(&self) -> &std::path::Path {
        self.folder.path()
    }

    /// What the service has logged so far, over all restarts.
    pub fn log(&self) -> String {
        self.log.text()
    }

    /// The control door of the Webex side.
    pub fn control(&self) -> Control {
        self.webex.control().expect("a client")
    }

    /// A request to the public door.
    pub fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.http.request(method, format!("{}{path}", self.url))
    }

    /// Sends a request and reads the answer.
    pub async fn send(&self, request: RequestBuilder) -> Answer {
        let answer = Answer::of(request.send().await.expect("an answer")).await;
        if let Ok(body) = serde_json::from_slice::<Value>(&answer.body) {
            self.private.add_from(&body);
        }
        answer
    }

    /// Asks for a path of the public door.
    pub async fn get(&self, path: &str) -> Answer {
        self.send(self.request(Method::GET, path)).await
    }

    /// Asks for a path of the operators' door.
    pub async fn get_ops(&self, path: &str) -> Answer {
        self.send(self.http.get(format!("{}{path}", self.ops_url))).await
    }

    /// A visitor's post from a page of the site.
    pub fn post(&self, body: &Value) -> RequestBuilder {
        self.private.add_from(body);
        self.request(Method::POST, "/v1/sites/acme/callbacks").header("Origin", ORIGIN).json(body)
    }

    /// A CRM's post.
    pub fn crm_post(&self, body: &Value) -> RequestBuilder {
        self.private.add_from(body);
        self.request(Method::POST, "/v1/callbacks").bearer_auth(API_KEY).json(body)
    }

    /// A visitor asks for a callback, and it is accepted.
    pub async fn ask(&self) -> Accepted {
        self.send(self.post(&visitor::request())).await.accepted()
    }

    /// The same under a key.
    pub async fn ask_with_key(&self, key: &str) -> Accepted {
        self.send(self.post(&visitor::request()).header(IDEMPOTENCY_KEY, key)).await.accepted()
    }

    /// What a visitor sees of a callback.
    pub async fn view(&self, callback: &Accepted) -> Value {
        let path = format!("/v1/callbacks/{}", callback.id);
        self.send(self.request(Method::GET, &path).bearer_auth(&callback.follow)).await.ok()
    }

    /// What the CRM sees of a callback.
    pub async fn record(&self, id: &str) -> Value {
        let path = format!("/v1/callbacks/{id}");
        self.send(self.request(Method::GET, &path).bearer_auth(API_KEY)).await.ok()
    }

    /// What the CRM sees of all callbacks, the newest first.
    pub async fn callbacks(&self) -> Vec<Value> {
        let listed = self.send(self.request(Method::GET, "/v1/callbacks").bearer_auth(API_KEY)).await.ok();
        listed["callbacks"].as_array().expect("callbacks").clone()
    }

    /// The requests to Webex that were made for a callback, as the CRM sees them: each with what Webex's support finds it
    /// by.
    pub async fn requests_of(&self, id: &str) -> Vec<Value> {
        let path = format!("/v1/callbacks/{id}?include=requests");
        let record = self.send(self.request(Method::GET, &path).bearer_auth(API_KEY)).await.ok();
        let requests = record["requests"].as_array().expect("the requests").clone();
        for request in &requests {
            let tracking_id = request["tracking_id"].as_str().expect("a tracking id");
            assert!(tracking_id.starts_with("RINGBACK_"), "{request}");
        }
        requests
    }

    /// Waits until a callback is in that state; gives what the CRM sees of it.
    pub async fn until(&self, id: &str, state: State) -> Value {
        let mut last = Value::Null;
        let path = format!("/v1/callbacks/{id}");
        let found = tokio::time::timeout(crate::eventually::PATIENCE, async {
            loop {
                // The service may be between two lives.
                if let Ok(response) = self.request(Method::GET, &path).bearer_auth(API_KEY).send().await {
                    last = Answer::of(response).await.ok();
                    if last["state"] == state.as_str() {
                        return last.clone();
                    }
                }
                tokio::time::sleep(Duration::from_millis(15)).await;
            }
        });
        let Ok(found) = found.await else {
            panic!("{id} does not become {}; last seen: {last}\n{}", state.as_str(), self.log());
        };
        found
    }

    /// Follows a callback live.
    pub async fn follow(&self, callback: &Accepted) -> Follower {
        let path = format!("/v1/callbacks/{}/events", callback.id);
        let request = self.request(Method::GET, &path).bearer_auth(&callback.follow);
        Follower::of(request.send().await.expect("an answer"))
    }

    /// The tasks that Webex has made.
    pub async fn tasks(&self) -> Vec<Task> {
        self.control().tasks().await.expect("the control door").entries
    }

    /// Waits for that many tasks.
    pub async fn until_tasks(&self, count: usize) -> Vec<Task> {
        eventually(&format!("{count} tasks"), async || {
            let tasks = self.tasks().await;
            assert!(tasks.len() <= count, "more than {count} tasks: {tasks:#?}");
            (tasks.len() == count).then_some(tasks)
        })
        .await
    }

    /// Connects the organisation with tokens as a service app has them.
    pub fn import(&self, tokens: &Value) -> Output {
        self.private.add_from(tokens);
        self.command_with(&["auth", "import"], &tokens.to_string())
    }

    /// Runs a command with this house's configuration, and with that text on its standard input.
    pub fn command_with(&self, arguments: &[&str], input: &str) -> Output {
        let mut command = service::command(arguments);
        command.arg("--config").arg(self.config_file()).envs(self.environment.iter().cloned());
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("the binary starts");
        let mut pipe = child.stdin.take().expect("a pipe");
        // A command that reads nothing may have ended already.
        let _ = pipe.write_all(input.as_bytes());
        drop(pipe);
        child.wait_with_output().expect("its output")
    }

    /// A preferred-agent link's token, made by the command that operators use.
    pub fn agent_token(&self, site: &str, agent: &str, expires: &str) -> String {
        let link = self.agent_link(site, agent, expires);
        let token = link.rsplit('/').next().expect("a token").to_owned();
        self.private.add(&token);
        token
    }

    /// A preferred-agent link, made by the command that operators use.
    pub fn agent_link(&self, site: &str, agent: &str, expires: &str) -> String {
        let config = self.config_file();
        let config = config.to_str().expect("a path in UTF-8");
        let output = service::output(&[
            "link",
            "--config",
            config,
            "--site",
            site,
            "--agent",
            agent,
            "--expires",
            expires,
        ]);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).expect("UTF-8").trim().to_owned()
    }

    /// An API key, made by the command that operators use with these arguments.
    pub fn key(&self, arguments: &[&str]) -> String {
        let key = self.command(&[&["key", "create"], arguments].concat());
        self.private.add(&key);
        key
    }

    /// What a command of the binary prints, with the house's configuration.
    pub fn command(&self, arguments: &[&str]) -> String {
        let config = self.config_file();
        let config = config.to_str().expect("a path in UTF-8");
        let output = service::output(&[arguments, &["--config", config]].concat());
        assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).expect("UTF-8").trim().to_owned()
    }

    /// Tells the Webex side where to send its events.
    async fn subscribe(&self) {
        let body = json!({
            "name": "ringback",
            "eventTypes": ["task:new", "task:parked", "task:connect", "task:connected", "task:ended", "task:failed"],
            "destinationUrl": format!("{}/webhooks/webex", self.url),
            "secret": plan::WEBHOOK_SECRET,
        });
        let request = self.http.post(format!("{}/v1/subscriptions", self.webex.base_url()));
        let answer = request.bearer_auth(organization::ACCESS_TOKEN).json(&body).send().await;
        let answer = Answer::of(answer.expect("an answer")).await;
        assert_eq!(answer.status.as_u16(), 201, "{}", answer.text());
    }
}

impl Drop for House {
    fn drop(&mut self) {
        self.stop_website.cancel();
        drop(self.service.take());
        let log = self.log.text();
        if std::thread::panicking() {
            eprintln!("--- what the service has logged ---\n{log}");
            return;
        }
        let found = self.private.found_in(&log);
        assert!(found.is_empty(), "the log holds {found:?} in clear:\n{log}");
        assert!(!log.contains("panicked at"), "the service has panicked:\n{log}");
    }
}
