//! Judges what stands in a field, by the rules that the service uses too.

use ringback_contract::field::{self, Code, Presence};
use ringback_contract::form::FieldName;

/// The members of the request that no control fills: the page's address, the language, when the form was asked for, the preferred
/// agent, and what only a program fills in.
pub(crate) const OTHER_MEMBERS: [&str; 5] = ["page", "locale", "opened", "agent", TRAP];

/// The member that only a program fills in: the name of a field that nobody sees.
pub(crate) const TRAP: &str = "website";

/// A control of the form.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Control {
    /// One of the site's fields.
    Field(FieldName),
    /// The country of the telephone number.
    Country,
    /// The box to agree with.
    Consent,
}

impl Control {
    /// The member of the request that it fills, which is also its id in the form.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Field(FieldName::Name) => "name",
            Self::Field(FieldName::Phone) => "phone",
            Self::Field(FieldName::Email) => "email",
            Self::Field(FieldName::Reason) => "reason",
            Self::Field(FieldName::Message) => "message",
            Self::Country => "country",
            Self::Consent => "consent",
        }
    }

    /// What is wrong with a value, if anything.
    pub(crate) fn judge(
        self,
        value: &Value,
        presence: Presence,
        description: &impl Known,
    ) -> Result<(), Code> {
        let Value { text, checked } = value;
        match self {
            Self::Field(FieldName::Name) => field::name(text, presence),
            Self::Field(FieldName::Phone) => field::phone(text),
            Self::Field(FieldName::Email) => field::email(text, presence),
            Self::Field(FieldName::Reason) => {
                // The rule compares; a site that has the chosen reason knows it.
                let known = description.has_reason(text).then_some(text.as_str());
                field::reason(text, known, presence)
            }
            Self::Field(FieldName::Message) => field::message(text, presence),
            Self::Country => field::country(text),
            Self::Consent => {
                let version = description.version();
                let version = version.as_deref();
                field::consent(*checked, version.unwrap_or_default(), version)
            }
        }
    }
}

/// What stands in a control.
pub(crate) struct Value {
    pub(crate) text: String,
    pub(crate) checked: bool,
}

/// What the rules need to know of the site.
pub(crate) trait Known {
    /// Whether the site has this reason.
    fn has_reason(&self, id: &str) -> bool;
    /// The version of the text to agree to; `None` where the site asks for no consent.
    fn version(&self) -> Option<String>;
}

/// The member of the request that a JSON Pointer (RFC 6901) of the service's answer leads into.
pub(crate) fn member(pointer: &str) -> &str {
    let pointer = pointer.strip_prefix('/').unwrap_or(pointer);
    pointer.split_once('/').map_or(pointer, |(member, _)| member)
}

#[cfg(test)]
mod tests {
    use ringback_contract::request::NewCallback;

    use super::*;

    struct Site;

    impl Known for Site {
        fn has_reason(&self, id: &str) -> bool {
            id == "billing"
        }

        fn version(&self) -> Option<String> {
            Some("1".to_owned())
        }
    }

    const ALL: [Control; 7] = [
        Control::Field(FieldName::Name),
        Control::Field(FieldName::Phone),
        Control::Field(FieldName::Email),
        Control::Field(FieldName::Reason),
        Control::Field(FieldName::Message),
        Control::Country,
        Control::Consent,
    ];

    fn judge(control: Control, text: &str, checked: bool) -> Result<(), Code> {
        control.judge(&Value { text: text.to_owned(), checked }, Presence::Optional, &Site)
    }

    #[test]
    fn a_control_is_judged_by_the_rule_of_its_field() {
        assert_eq!(judge(Control::Field(FieldName::Name), "", false), Ok(()));
        assert_eq!(judge(Control::Field(FieldName::Phone), "", false), Err(Code::Required));
        assert_eq!(judge(Control::Field(FieldName::Phone), "+1 555 0100", false), Ok(()));
        assert_eq!(judge(Control::Field(FieldName::Email), "ann@", false), Err(Code::EmailShape));
        assert_eq!(judge(Control::Field(FieldName::Reason), "billing", false), Ok(()));
        assert_eq!(judge(Control::Field(FieldName::Reason), "other", false), Err(Code::ReasonUnknown));
        assert_eq!(judge(Control::Country, "de", false), Err(Code::CountryShape));
        assert_eq!(judge(Control::Consent, "", false), Err(Code::ConsentRequired));
        assert_eq!(judge(Control::Consent, "", true), Ok(()));
    }

    #[test]
    fn every_member_of_the_contract_is_sent_and_no_other() {
        let full = NewCallback { opened: "x".to_owned(), website: "x".to_owned(), ..NewCallback::default() };
        let contract = serde_json::to_value(full).unwrap();
        let mut members: Vec<_> = contract.as_object().unwrap().keys().map(String::as_str).collect();
        let mut sent = ALL.map(Control::name).to_vec();
        sent.extend(OTHER_MEMBERS);
        members.sort_unstable();
        sent.sort_unstable();
        assert_eq!(sent, members);
    }

    #[test]
    fn a_pointer_leads_to_its_member() {
        assert_eq!(member("/phone"), "phone");
        assert_eq!(member("/consent/accepted"), "consent");
        assert_eq!(member(""), "");
    }
}
