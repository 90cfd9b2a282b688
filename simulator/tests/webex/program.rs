use std::process::Stdio;

use serde_json::Value;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, BufReader};
use tokio::process::{Child, Command};
use webex_simulator::{Control, Pace};

async fn run(arguments: &[&str]) -> (Child, BufReader<tokio::process::ChildStdout>, String) {
    let mut child = Command::new(env!("CARGO_BIN_EXE_webex-simulator"))
        .args(arguments)
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let mut output = BufReader::new(child.stdout.take().unwrap());
    let mut line = String::new();
    output.read_line(&mut line).await.unwrap();
    (child, output, line)
}

#[tokio::test]
async fn the_program_prints_one_line_of_json_and_answers_there() {
    let (mut child, mut output, line) = run(&["--listen", "127.0.0.1:0", "--pace", "manual", "--json"]).await;
    let told: Value = serde_json::from_str(&line).unwrap();
    let control = Control::new(told["base_url"].as_str().unwrap()).unwrap();
    assert_eq!(control.settings().await.unwrap().pace, Pace::Manual);
    child.kill().await.unwrap();
    let mut rest = String::new();
    output.read_to_string(&mut rest).await.unwrap();
    assert_eq!(rest, "", "nothing but the one line");
}

#[tokio::test]
async fn the_program_prints_its_address_for_people_too() {
    let (mut child, _, line) = run(&[]).await;
    let base_url = line.trim_end().rsplit(' ').next().unwrap();
    Control::new(base_url).unwrap().summary().await.unwrap();
    child.kill().await.unwrap();
}
