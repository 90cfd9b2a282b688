//! What a service has written, and what must not stand in it.

use std::collections::BTreeSet;
use std::io::{BufRead as _, BufReader, Read};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

/// The lines that a process writes, collected while it runs.
#[derive(Clone, Debug, Default)]
pub struct Captured(Arc<Mutex<String>>);

impl Captured {
    /// Collects until the other end is closed.
    pub fn collect(&self, from: impl Read + Send + 'static) -> JoinHandle<()> {
        let captured = self.clone();
        std::thread::spawn(move || {
            let mut lines = BufReader::new(from);
            let mut line = Vec::new();
            while lines.read_until(b'\n', &mut line).is_ok_and(|length| length > 0) {
                let text = String::from_utf8_lossy(&line).into_owned();
                captured.0.lock().unwrap_or_else(PoisonError::into_inner).push_str(&text);
                line.clear();
            }
        })
    }

    /// Everything so far.
    pub fn text(&self) -> String {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// What a test has sent and must not find in a log: names, numbers, addresses, tokens, secrets.
#[derive(Clone, Debug, Default)]
pub struct Private(Arc<Mutex<BTreeSet<String>>>);

impl Private {
    /// Adds a text. One that is too short to be told from chance is left out.
    pub fn add(&self, text: &str) {
        let text = text.trim();
        if text.chars().count() >= 5 {
            self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(text.to_owned());
        }
        // A number may be written in many ways: look for the digits behind the country code too.
        let digits: String = text.chars().filter(char::is_ascii_digit).collect();
        let only_number =
            text.chars().all(|character| character.is_ascii_digit() || "+-() ./".contains(character));
        if only_number && digits.len() >= 10 {
            let national = digits[digits.len() - 10..].to_owned();
            self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(national);
        }
    }

    /// Adds what is private in the body of a request.
    pub fn add_from(&self, body: &serde_json::Value) {
        let Some(members) = body.as_object() else { return };
        for (name, value) in members {
            if matches!(
                name.as_str(),
                "name" | "phone" | "email" | "message" | "agent" | "reference" | "follow"
            ) && let Some(text) = value.as_str()
            {
                // The handle of an agent is an operator's own word; the token of a link is not.
                if name != "agent" || text.len() > 20 {
                    self.add(text);
                }
            }
        }
    }

    /// Which of the texts stand in the log.
    pub fn found_in(&self, log: &str) -> Vec<String> {
        let texts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        texts.iter().filter(|text| log.contains(text.as_str())).cloned().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_sent_is_found_however_it_is_written() {
        let private = Private::default();
        private.add_from(&serde_json::json!({
            "name": "Ann Example",
            "phone": "(202) 555-0142",
            "agent": "grace",
            "site": "acme-outdoor",
        }));
        private.add("abc");
        assert_eq!(private.found_in("visitor Ann Example"), ["Ann Example"]);
        assert_eq!(private.found_in("calling +12025550142"), ["2025550142"]);
        assert_eq!(private.found_in("typed (202) 555-0142"), ["(202) 555-0142"]);
        assert!(private.found_in("agent=grace site=acme-outdoor phone=+12…42 abc").is_empty());
    }
}
