//! Reads server-sent events (HTML Living Standard, section 9.2) from the pieces in which they arrive.
//!
//! The browser's `EventSource` cannot send an `Authorization` header, and a token does not belong into an address.

/// Collects pieces of a stream until an event is whole.
#[derive(Default)]
pub(crate) struct EventStream {
    /// What has come of the line that is not whole yet.
    line: String,
    /// The data of the event that is not whole yet.
    data: String,
}

impl EventStream {
    /// Takes a piece, and gives the data of every event that it completes.
    pub(crate) fn push(&mut self, piece: &str) -> Vec<String> {
        let mut whole = Vec::new();
        for character in piece.chars() {
            match character {
                // The service ends its lines with a line feed; a proxy may have put a carriage return before it.
                '\r' => {}
                '\n' => self.end_line(&mut whole),
                _ => self.line.push(character),
            }
        }
        whole
    }

    fn end_line(&mut self, whole: &mut Vec<String>) {
        if self.line.is_empty() {
            // A heartbeat has no data, and is no event.
            if !self.data.is_empty() {
                whole.push(std::mem::take(&mut self.data));
            }
        } else if let Some(value) = self.line.strip_prefix("data:") {
            // JSON does not care whether a space before it is part of it; several lines of data are one text.
            self.data.push_str(value);
        }
        self.line.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_is_whole_at_its_empty_line() {
        let mut stream = EventStream::default();
        assert!(stream.push("event: state\nid: 3\nda").is_empty());
        assert!(stream.push("ta:{\"state\":\"queued\"}\n").is_empty());
        assert_eq!(stream.push("\nevent: state\ndata:2\n\n"), ["{\"state\":\"queued\"}", "2"]);
    }

    #[test]
    fn heartbeats_and_other_lines_are_no_events() {
        let mut stream = EventStream::default();
        assert!(stream.push(": still here\n\nretry: 10\n\n").is_empty());
        assert_eq!(stream.push("data:[1,\r\ndata:2]\r\n\r\n"), ["[1,2]"]);
    }
}
