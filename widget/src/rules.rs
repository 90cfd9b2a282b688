//! Judges what stands in a field, by the rules that the service uses too.

use ringback_contract::field::{self, Code, Presence};
use ringback_contract::form::OWN;

/// The members of the request that no control fills: the page's address, the language, when the form was asked for, the preferred
/// agent, and what only a program fills in.
pub(crate) const OTHER_MEMBERS: [&str; 5] = ["page", "locale", "opened", "agent", TRAP];

/// The member that only a program fills in: the name of a field that nobody sees.
pub(crate) const TRAP: &str = "website";

/// The member that holds what stands in the operator's own fields.
pub(crate) const FIELDS: &str = "fields";

/// A control of the form.
#[derive(Clone, PartialEq)]
pub(crate) struct Control {
    /// Where in the request it stands: the name of a member, or `fields/` and the id of a field of the operator's own. Also its id
    /// in the form: no name that the form needs itself has a slash.
    pub(crate) place: String,
    pub(crate) kind: Kind,
    pub(crate) presence: Presence,
    /// The most characters of a line of text.
    pub(crate) longest: usize,
}

/// What a control is.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Kind {
    /// One line of text.
    Text,
    /// The telephone number.
    Phone,
    /// An e-mail address.
    Email,
    /// Several lines of text.
    Lines,
    /// A list to choose from.
    Choice,
    /// A box to tick.
    Box,
    /// The country of the telephone number.
    Country,
    /// The box to agree with.
    Consent,
}

impl Control {
    /// The id of the operator's own field that it is.
    pub(crate) fn custom(&self) -> Option<&str> {
        self.place.strip_prefix(OWN)
    }

    /// Whether it is a box.
    pub(crate) fn is_box(&self) -> bool {
        matches!(self.kind, Kind::Box | Kind::Consent)
    }

    /// What is wrong with a value, if anything; `version` is that of the text to agree to.
    pub(crate) fn judge(&self, value: &Value, version: Option<&str>) -> Result<(), Code> {
        let (Value { text, checked }, presence) = (value, self.presence);
        match self.kind {
            Kind::Text => field::text(text, self.longest, presence),
            Kind::Phone => field::phone(text),
            Kind::Email => field::email(text, presence),
            Kind::Lines => field::message(text, presence),
            // A list has no other value than those that it shows.
            Kind::Choice => field::choice(text, [text.as_str()], presence),
            Kind::Box => field::checkbox(*checked, presence),
            Kind::Country => field::country(text),
            Kind::Consent => field::consent(*checked, version.unwrap_or_default(), version),
        }
    }
}

/// What stands in a control.
pub(crate) struct Value {
    pub(crate) text: String,
    pub(crate) checked: bool,
}

#[cfg(test)]
mod tests {
    use ringback_contract::request::{FieldValue, NewCallback};

    use super::*;

    fn judge(kind: Kind, presence: Presence, text: &str, checked: bool) -> Result<(), Code> {
        let control = Control { place: String::new(), kind, presence, longest: 5 };
        control.judge(&Value { text: text.to_owned(), checked }, Some("1"))
    }

    #[test]
    fn a_control_is_judged_by_the_rule_of_its_kind() {
        use Presence::{Optional, Required};
        assert_eq!(judge(Kind::Text, Optional, "", false), Ok(()));
        assert_eq!(judge(Kind::Text, Required, " ", false), Err(Code::Required));
        assert_eq!(judge(Kind::Text, Required, "47-110", false), Err(Code::TooLong));
        assert_eq!(judge(Kind::Phone, Required, "", false), Err(Code::Required));
        assert_eq!(judge(Kind::Phone, Required, "+1 555 0100", false), Ok(()));
        assert_eq!(judge(Kind::Email, Optional, "ann@", false), Err(Code::EmailShape));
        assert_eq!(judge(Kind::Lines, Optional, "one\ntwo and more", false), Ok(()));
        assert_eq!(judge(Kind::Choice, Required, "billing", false), Ok(()));
        assert_eq!(judge(Kind::Choice, Required, "", false), Err(Code::Required));
        assert_eq!(judge(Kind::Box, Required, "on", false), Err(Code::Required));
        assert_eq!(judge(Kind::Box, Optional, "on", false), Ok(()));
        assert_eq!(judge(Kind::Country, Required, "de", false), Err(Code::CountryShape));
        assert_eq!(judge(Kind::Consent, Required, "", false), Err(Code::ConsentRequired));
        assert_eq!(judge(Kind::Consent, Required, "", true), Ok(()));
    }

    #[test]
    fn every_member_of_the_contract_is_sent_and_no_other() {
        let fields = [("order".to_owned(), FieldValue::Checked(true))].into();
        let full =
            NewCallback { opened: "x".to_owned(), website: "x".to_owned(), fields, ..NewCallback::default() };
        let contract = serde_json::to_value(full).unwrap();
        let mut members: Vec<_> = contract.as_object().unwrap().keys().map(String::as_str).collect();
        let mut sent = vec!["name", "phone", "email", "reason", "message", "country", "consent", FIELDS];
        sent.extend(OTHER_MEMBERS);
        members.sort_unstable();
        sent.sort_unstable();
        assert_eq!(sent, members);
    }
}
