//! A callback as a file for calendars: iCalendar (RFC 5545).

use jiff::Timestamp;

/// The longest line, in octets, without its end (RFC 5545 section 3.1).
const LINE_MAX: usize = 75;

/// What stands in the calendar.
#[derive(Clone, Debug)]
pub struct Entry<'a> {
    /// What it is known by, however often it changes.
    pub uid: &'a str,
    /// Rises with each change.
    pub sequence: u64,
    /// When it begins.
    pub starts_at: Timestamp,
    /// When it ends.
    pub ends_at: Timestamp,
    /// When it last changed.
    pub changed_at: Timestamp,
    /// Whether there will be no call any more.
    pub cancelled: bool,
    /// What it is, in a line.
    pub summary: &'a str,
    /// What else there is to know.
    pub description: &'a str,
    /// Where it can be seen and called off.
    pub url: &'a str,
}

impl Entry<'_> {
    /// The file. It names no method, so its stamp is the moment of the last change (RFC 5545 section 3.8.7.2). Its times are UTC:
    /// every calendar knows that zone.
    pub fn file(&self) -> String {
        let status = if self.cancelled { "CANCELLED" } else { "CONFIRMED" };
        let sequence = self.sequence.to_string();
        let [changed_at, starts_at, ends_at] = [self.changed_at, self.starts_at, self.ends_at].map(utc);
        let lines = [
            ("BEGIN", "VCALENDAR".to_owned()),
            ("VERSION", "2.0".to_owned()),
            ("PRODID", "-//Ringback//Ringback//EN".to_owned()),
            ("CALSCALE", "GREGORIAN".to_owned()),
            ("BEGIN", "VEVENT".to_owned()),
            ("UID", escaped(self.uid)),
            ("DTSTAMP", changed_at.clone()),
            ("LAST-MODIFIED", changed_at),
            ("SEQUENCE", sequence),
            ("DTSTART", starts_at),
            ("DTEND", ends_at),
            ("STATUS", status.to_owned()),
            ("SUMMARY", escaped(self.summary)),
            ("DESCRIPTION", escaped(self.description)),
            ("URL", self.url.to_owned()),
            ("END", "VEVENT".to_owned()),
            ("END", "VCALENDAR".to_owned()),
        ];
        lines.iter().map(|(name, value)| folded(&format!("{name}:{value}"))).collect()
    }
}

/// A moment as a date-time in UTC (RFC 5545 section 3.3.5, form 2).
fn utc(moment: Timestamp) -> String {
    moment.strftime("%Y%m%dT%H%M%SZ").to_string()
}

/// A text as a value (RFC 5545 section 3.3.11). Of control characters, only the end of a line can be said.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '\\' | ';' | ',' => escaped.extend(['\\', character]),
            '\n' => escaped.push_str("\\n"),
            character if character.is_control() => {}
            character => escaped.push(character),
        }
    }
    escaped
}

/// A line with its end, folded where it is too long, and never within a character.
fn folded(line: &str) -> String {
    let mut folded = String::with_capacity(line.len() + 8);
    let mut length = 0;
    for character in line.chars() {
        if length + character.len_utf8() > LINE_MAX {
            folded.push_str("\r\n ");
            // The space counts.
            length = 1;
        }
        folded.push(character);
        length += character.len_utf8();
    }
    folded + "\r\n"
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry() -> Entry<'static> {
        Entry {
            uid: "019b7a4c-6f00-7a33-9d0e-5b1c2f3a4d5e",
            sequence: 3,
            starts_at: "2026-12-01T09:00:00Z".parse().unwrap(),
            ends_at: "2026-12-01T09:30:00Z".parse().unwrap(),
            changed_at: "2026-11-25T08:00:00.123Z".parse().unwrap(),
            cancelled: false,
            summary: "Call from Acme, Outdoor; Ltd \\ Co",
            description: "Acme will call you.\nTo call it off:",
            url: "https://callback.example.com/f/rbf_x",
        }
    }

    #[test]
    fn a_file_has_these_lines_and_each_ends_as_it_must() {
        let expected = "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//Ringback//Ringback//EN\r\nCALSCALE:GREGORIAN\r\n\
            BEGIN:VEVENT\r\nUID:019b7a4c-6f00-7a33-9d0e-5b1c2f3a4d5e\r\nDTSTAMP:20261125T080000Z\r\n\
            LAST-MODIFIED:20261125T080000Z\r\nSEQUENCE:3\r\nDTSTART:20261201T090000Z\r\nDTEND:20261201T093000Z\r\n\
            STATUS:CONFIRMED\r\nSUMMARY:Call from Acme\\, Outdoor\\; Ltd \\\\ Co\r\n\
            DESCRIPTION:Acme will call you.\\nTo call it off:\r\nURL:https://callback.example.com/f/rbf_x\r\n\
            END:VEVENT\r\nEND:VCALENDAR\r\n";
        assert_eq!(entry().file(), expected);
        assert!(Entry { cancelled: true, ..entry() }.file().contains("\r\nSTATUS:CANCELLED\r\n"));
    }

    #[test]
    fn a_text_can_bring_no_line_of_its_own() {
        let file = Entry { summary: "x\r\nATTENDEE:mailto:x\u{85}y", ..entry() }.file();
        assert!(file.contains("\r\nSUMMARY:x\\nATTENDEE:mailto:xy\r\n"), "{file}");
    }

    #[test]
    fn a_long_line_is_folded_within_75_octets_and_never_within_a_character() {
        for text in ["x".repeat(300), "ä€😀".repeat(60), "電話".repeat(80)] {
            let line = format!("SUMMARY:{text}");
            let folded = folded(&line);
            assert!(folded.ends_with("\r\n"));
            for part in folded.trim_end_matches("\r\n").split("\r\n") {
                assert!(part.len() <= LINE_MAX, "{part}");
            }
            assert_eq!(folded.replace("\r\n ", "").trim_end(), line);
        }
        assert_eq!(folded(&"x".repeat(75)), "x".repeat(75) + "\r\n");
    }
}
