//! The service as a process of its own: the binary that operators run.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::eventually::{PATIENCE, eventually};
use crate::log::Captured;
use crate::small_disk::SmallDisk;

/// A binary of the workspace, which lies beside this one or beside the test program's folder.
pub fn binary(name: &str) -> PathBuf {
    let program = std::env::current_exe().expect("the path of this program");
    let folder = program.parent().expect("a folder");
    // Test programs lie one folder deeper than binaries.
    let folder = if folder.ends_with("deps") { folder.parent().expect("target/<profile>") } else { folder };
    let binary = folder.join(name);
    assert!(binary.is_file(), "{} is missing; run cargo xtask test", binary.display());
    binary
}

/// A program that `cargo xtask test` installs beside what is built.
pub fn tool(path: &str) -> PathBuf {
    let test = std::env::current_exe().expect("the path of the test program");
    let tool = test.ancestors().nth(3).expect("target/<profile>/deps").join(path);
    assert!(tool.is_file(), "{} is missing; run cargo xtask test", tool.display());
    tool
}

/// A command of the service's binary, without any configuration of whoever runs the tests.
pub fn command(arguments: &[&str]) -> Command {
    command_of("ringback", arguments)
}

/// A command of a binary of the workspace, without any configuration of whoever runs the tests.
pub fn command_of(name: &str, arguments: &[&str]) -> Command {
    let mut command = Command::new(binary(name));
    for (name, _) in std::env::vars_os() {
        let text = name.to_string_lossy();
        // Neither a configuration, nor a proxy between two processes of one machine.
        if text.starts_with("RINGBACK__") || text.to_ascii_lowercase().ends_with("_proxy") {
            command.env_remove(&name);
        }
    }
    command.args(arguments).stdin(Stdio::null());
    command
}

/// Runs a command of the binary that ends by itself.
pub fn output(arguments: &[&str]) -> Output {
    command(arguments).output().expect("the binary starts")
}

/// Sends a signal, such as `TERM`, to a process that this one has started.
pub fn signal(child: &Child, name: &str) {
    let pid = child.id().to_string();
    let sent = Command::new("sh").args(["-c", "kill -s \"$0\" \"$1\"", name, &pid]).status();
    assert!(sent.expect("a shell").success(), "SIG{name} could not be sent");
}

/// A running service.
#[derive(Debug)]
pub struct Service {
    child: Child,
    /// The address of the public door.
    pub url: String,
    /// The address of the operators' door.
    pub ops_url: String,
    output: Captured,
    readers: Vec<JoinHandle<()>>,
    disk: Option<SmallDisk>,
}

impl Service {
    /// Starts the service and waits until it listens. Gives the reason where it does not.
    pub async fn start(
        config: &Path,
        environment: &[(String, String)],
        log: &Captured,
    ) -> Result<Self, ExitStatus> {
        Self::start_on(None, config, environment, log).await
    }

    /// The same, with a disk of its own.
    pub(crate) async fn start_on(
        disk: Option<&SmallDisk>,
        config: &Path,
        environment: &[(String, String)],
        log: &Captured,
    ) -> Result<Self, ExitStatus> {
        let mut command = command(&["serve", "--json", "--config"]);
        command.arg(config).envs(environment.iter().cloned());
        if let Some(disk) = disk {
            command = disk.holding(&command);
        }
        let mut child =
            command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the binary starts");
        let output = Captured::default();
        let readers = vec![
            output.collect(child.stdout.take().expect("a pipe")),
            log.collect(child.stderr.take().expect("a pipe")),
        ];
        let mut ended = None;
        let line = eventually("the service says where it listens, or ends", async || {
            if output.text().contains('\n') {
                return Some(output.text());
            }
            ended = child.try_wait().expect("the state of the process");
            ended.map(|_| String::new())
        })
        .await;
        if let Some(status) = ended {
            for reader in readers {
                reader.join().expect("a reader");
            }
            return Err(status);
        }
        let addresses: Value = serde_json::from_str(&line).expect("one line of JSON");
        let address = |name: &str| addresses[name].as_str().expect("an address").to_owned();
        Ok(Self {
            url: address("url"),
            ops_url: address("ops_url"),
            child,
            output,
            readers,
            disk: disk.cloned(),
        })
    }

    /// Sends a signal, such as `TERM`.
    pub fn signal(&self, name: &str) {
        signal(&self.child, name);
    }

    /// Makes room on its small disk.
    pub fn make_room(&self) {
        self.disk.as_ref().expect("a small disk").make_room(self.child.id());
    }

    /// Whether the process is there.
    pub fn is_running(&mut self) -> bool {
        self.child.try_wait().expect("the state of the process").is_none()
    }

    /// Waits for the end of the process and of its output.
    pub async fn ended(mut self) -> ExitStatus {
        let status = eventually("the service ends", async || self.child.try_wait().expect("its state")).await;
        self.join_readers();
        status
    }

    /// Asks it to stop, and waits until it has.
    pub async fn stop(self) -> ExitStatus {
        self.signal("TERM");
        self.ended().await
    }

    /// Ends it at once, as a power failure would.
    pub async fn kill(mut self) {
        self.child.kill().expect("SIGKILL");
        self.ended().await;
    }

    /// The process's resident memory, in bytes.
    pub fn resident_bytes(&self) -> u64 {
        let path = format!("/proc/{}/status", self.child.id());
        let status = std::fs::read_to_string(path).expect("a Linux machine");
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("VmRSS");
        let kilobytes: u64 = line.trim().trim_end_matches("kB").trim().parse().expect("a number");
        kilobytes * 1024
    }

    fn join_readers(&mut self) {
        for reader in self.readers.drain(..) {
            reader.join().expect("a reader");
        }
        let lines = self.output.text().lines().count();
        assert!(lines <= 1, "more than one line on standard output: {}", self.output.text());
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        // Whatever a test has come to, no process stays behind; it is ended by the handle that started it.
        let _ = self.child.kill();
        let end = Instant::now() + PATIENCE;
        while Instant::now() < end && matches!(self.child.try_wait(), Ok(None)) {
            std::thread::sleep(Duration::from_millis(2));
        }
        if !std::thread::panicking() {
            self.join_readers();
        }
    }
}
