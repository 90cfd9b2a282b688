//! What can be wrong with a field, as a table.

use core::fmt;

macro_rules! codes {
    ($($(#[doc = $doc:literal])+ $variant:ident = $code:literal, $message:literal;)+) => {
        /// What is wrong with a field. The text of a code is part of the public contract: it never
        /// changes its meaning, and the widget's locale files are keyed by it.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Code { $($(#[doc = $doc])+ $variant,)+ }

        impl Code {
            /// Every code, in the order of the table.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)+];

            /// The stable text of the code.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $code,)+ }
            }

            /// A sentence for people who read the response itself; the widget has its own texts.
            pub const fn message(self) -> &'static str {
                match self { $(Self::$variant => $message,)+ }
            }
        }
    };
}

codes! {
    /// A required field is empty.
    Required = "required", "This field is required.";
    /// Longer than the rule of the field allows.
    TooLong = "too_long", "This is longer than allowed.";
    /// Holds a control character or an invisible direction mark.
    ControlCharacter = "control_character", "Remove control characters and invisible marks.";
    /// Not a telephone number: a character that none contains.
    PhoneCharacter = "phone_character", "A phone number holds digits, spaces and + - ( ) . / only.";
    /// Not a telephone number: too few digits.
    PhoneTooShort = "phone_too_short", "This phone number is too short.";
    /// Not a telephone number: too many digits.
    PhoneTooLong = "phone_too_long", "This phone number is too long.";
    /// No such number exists in its country.
    PhoneNotValid = "phone_not_valid", "This phone number does not exist; check it, and add the country code.";
    /// The number cannot be called from this site.
    PhoneNotAllowed = "phone_not_allowed", "We cannot call this phone number; use another one.";
    /// Not an e-mail address.
    EmailShape = "email_shape", "Write the e-mail address as name@example.com.";
    /// Not one of the site's reasons.
    ReasonUnknown = "reason_unknown", "Choose one of the listed reasons.";
    /// Not one of the field's choices.
    ChoiceUnknown = "choice_unknown", "Choose one of the listed answers.";
    /// The visitor has to agree first.
    ConsentRequired = "consent_required", "Your consent is needed before we may call.";
    /// The text that was agreed to is not the one in force.
    ConsentOutdated = "consent_outdated", "The consent text has changed; read it and agree again.";
    /// Not the address of a web page.
    PageAddress = "page_address", "Give the page as an http or https address.";
    /// Not a language tag.
    LocaleShape = "locale_shape", "Give the language as a tag such as en or pt-BR.";
    /// Not a two-letter country code.
    CountryShape = "country_shape", "Give the country as two capital letters, such as US.";
    /// Not an identifier: lower-case letters, digits, `-` and `_`.
    IdentifierShape = "identifier_shape", "Use lower-case letters, digits, - and _ only.";
    /// No agent of that handle takes callbacks for the site.
    AgentUnknown = "agent_unknown", "No such agent takes callbacks for this site.";
    /// The agent of the link takes no calls any more, and the site lets no other call instead.
    AgentUnavailable = "agent_unavailable", "This agent takes no calls any more.";
    /// The preferred-agent link is damaged, was not made by this service, or is for another site.
    LinkInvalid = "link_invalid", "This link is not valid.";
    /// The preferred-agent link has run out.
    LinkExpired = "link_expired", "This link has expired.";
    /// More attributes than Webex takes with those that the site adds itself, or more fields than any site has.
    TooMany = "too_many", "These are more than can be taken.";
    /// The site sets this attribute itself.
    Reserved = "reserved", "This name is taken by the site itself; use another one.";
    /// A time that lies outside of what is allowed.
    OutOfRange = "out_of_range", "This is outside of what is allowed.";
    /// One thing of a callback is changed at a time.
    OneAtATime = "one_at_a_time", "Change the time or the number, one at a time.";
    /// The site takes no callbacks at a chosen time.
    ScheduleNotOffered = "schedule_not_offered", "This site takes no callbacks at a chosen time.";
    /// Not a day of the calendar.
    DateShape = "date_shape", "Give the day as YYYY-MM-DD.";
    /// Not a time of a day.
    TimeShape = "time_shape", "Give the time as HH:MM.";
    /// The clocks of the zone skip this time on that day.
    TimeSkipped = "time_skipped", "The clocks skip this time on that day; choose another.";
    /// No time zone of this name.
    TimezoneUnknown = "timezone_unknown", "Give the time zone by its IANA name, such as Europe/Berlin.";
    /// The window does not end after its start, on the same day.
    WindowOrder = "window_order", "The window must end after its start, on the same day.";
    /// The window is shorter than the site offers.
    WindowShort = "window_short", "This window is too short.";
    /// The window is longer than the site offers.
    WindowLong = "window_long", "This window is too long.";
    /// The window begins sooner than the site can arrange.
    WindowSoon = "window_soon", "This window begins too soon; choose a later one.";
    /// The window is further ahead than the site offers.
    WindowFar = "window_far", "This day is too far ahead; choose an earlier one.";
    /// The window does not lie within the opening hours of the site.
    OutsideHours = "outside_hours", "The site is closed then; choose another time.";
    /// As many callbacks as may already begin in this slot.
    SlotFull = "slot_full", "This time has just been taken; choose another.";
    /// The site is not known, or the key is not for it.
    SiteUnknown = "site_unknown", "No such site.";
    /// The request has a field that the service does not know.
    UnknownField = "unknown_field", "This field is not known here; remove it.";
    /// The field is of another JSON type.
    WrongType = "wrong_type", "This field is of another type.";
}

impl Code {
    /// Whether only servers meet it: no form sends what it is about, so the widget has no text for it.
    pub const fn is_for_servers(self) -> bool {
        matches!(self, Self::TooMany | Self::Reserved | Self::OutOfRange | Self::OneAtATime)
    }
}

impl fmt::Display for Code {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_distinct() {
        let texts: std::collections::HashSet<_> = Code::ALL.iter().map(|code| code.as_str()).collect();
        assert_eq!(texts.len(), Code::ALL.len());
    }
}
