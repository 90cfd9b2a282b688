//! A disk that is soon full, in memory, that one service sees and nobody else.

use std::path::PathBuf;
use std::process::Command;

/// What fills half of it, until it is taken away.
const BALLAST: &str = "ballast";

/// A disk of so many megabytes, at a folder that a service sees it in.
#[derive(Clone, Debug)]
pub(crate) struct SmallDisk {
    pub(crate) folder: PathBuf,
    pub(crate) megabytes: u32,
}

impl SmallDisk {
    /// The command, run where the disk is.
    pub(crate) fn holding(&self, command: &Command) -> Command {
        const SCRIPT: &str = r#"
            mount -t tmpfs -o "size=$SIZE" none "$DISK"
            head -c "$FILLED" /dev/zero >"$DISK/$BALLAST"
            exec "$0" "$@"
        "#;
        let mut within = Command::new("unshare");
        if !is_root() {
            within.arg("--map-root-user");
        }
        within.args(["--mount", "sh", "-e", "-c", SCRIPT]);
        within.arg(command.get_program()).args(command.get_args());
        for (name, value) in command.get_envs() {
            match value {
                Some(value) => within.env(name, value),
                None => within.env_remove(name),
            };
        }
        let bytes = self.megabytes << 20;
        within.env("DISK", &self.folder).env("BALLAST", BALLAST);
        within.env("SIZE", bytes.to_string()).env("FILLED", (bytes / 2).to_string());
        within
    }

    /// Takes away what fills half of it; `process` is the service's.
    pub(crate) fn make_room(&self, process: u32) {
        let folder = self.folder.strip_prefix("/").expect("a path from the root");
        let ballast = PathBuf::from(format!("/proc/{process}/root")).join(folder).join(BALLAST);
        std::fs::remove_file(ballast).expect("the ballast");
    }
}

fn is_root() -> bool {
    Command::new("id").arg("-u").output().is_ok_and(|output| output.stdout.trim_ascii() == b"0")
}
