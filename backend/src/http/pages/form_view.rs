//! The plain form, drawn from the same description as the form of `widget/`.

use maud::{Markup, html};
use ringback_contract::field::Presence;
use ringback_contract::form::{Agent, ConsentText, Field, FieldKind, FieldName, Form};
use ringback_contract::problem::{FieldError, leads_to};
use ringback_contract::request::FieldValue;

use super::posted::{BOX, CONSENT, CONSENT_VERSION, KEY, Posted, SCHEDULE, WAITED};
use super::slots;
use crate::locale::Locale;
use crate::schedule::Window;
use crate::words::Words;

/// The country of the telephone number.
const COUNTRY: &str = "country";

/// What is said about a form that was sent.
#[derive(Debug, Default)]
pub(super) struct Told {
    /// About the whole.
    pub(super) alert: Option<String>,
    /// About its fields.
    pub(super) errors: Vec<FieldError>,
}

/// A form, and what stands in it.
pub(super) struct FormView<'a> {
    form: &'a Form,
    locale: &'a Locale,
    posted: &'a Posted,
    told: &'a Told,
    /// The times that may be chosen.
    pub(super) slots: Vec<Window>,
    /// When the site opens, in words, where it is closed.
    pub(super) opening: Option<String>,
}

/// What tells the browser which keyboard to show, and how to read what stands there.
#[derive(Default)]
struct Hints {
    kind: Option<&'static str>,
    inputmode: Option<&'static str>,
    autocapitalize: Option<&'static str>,
    spellcheck: Option<&'static str>,
    dir: Option<&'static str>,
}

impl Hints {
    fn of(kind: FieldKind) -> Self {
        match kind {
            FieldKind::Tel => Self { kind: Some("tel"), dir: Some("ltr"), ..Self::default() },
            // Not of type `email`, which would hide the white space that the rule judges and change the domain's letters.
            FieldKind::Email => Self {
                inputmode: Some("email"),
                autocapitalize: Some("off"),
                spellcheck: Some("false"),
                dir: Some("ltr"),
                ..Self::default()
            },
            _ => Self::default(),
        }
    }
}

impl<'a> FormView<'a> {
    pub(super) fn new(form: &'a Form, locale: &'a Locale, posted: &'a Posted, told: &'a Told) -> Self {
        Self { form, locale, posted, told, slots: Vec::new(), opening: None }
    }

    /// The title of the form and of its page.
    pub(super) fn title(&self) -> String {
        match &self.form.agent {
            Some(Agent::Named { name }) => self.locale.with("form.title.agent", name),
            _ => self.locale.text("form.title").to_owned(),
        }
    }

    /// The form, sent to that address; `phone` is what stands below it.
    pub(super) fn draw(&self, action: &str, phone: &Markup) -> Markup {
        let consent_version = self.form.consent.as_ref().map(|consent| consent.version.as_str());
        let callback = &self.posted.callback;
        html! {
            div.ask {
                h2 #title { (self.title()) }
                (self.intro())
                (self.summary())
                form method="post" action=(action) accept-charset="utf-8" novalidate {
                    @for (name, value) in [
                        (KEY, self.posted.key.as_str()),
                        (WAITED, &self.posted.waited),
                        ("opened", &callback.opened),
                        ("locale", self.locale.name),
                        ("page", &callback.page),
                        (CONSENT_VERSION, consent_version.unwrap_or_default()),
                    ] {
                        @if !value.is_empty() { input type="hidden" name=(name) value=(value); }
                    }
                    @for field in &self.form.fields { (self.field(field)) }
                    (self.when())
                    @if let Some(consent) = &self.form.consent { (self.consent(consent)) }
                    // Out of sight, out of the order of focus, and out of what is read aloud or filled in by a browser.
                    div.trap aria-hidden="true" { input name="website" tabindex="-1" autocomplete="off"; }
                    button.primary { (self.locale.text("form.send")) }
                }
                (phone)
            }
        }
    }

    /// What is said of a link that is not good any more. Outside of the form, in whose place another may come.
    pub(super) fn notice(&self) -> Markup {
        let notice = match &self.form.agent {
            None | Some(Agent::Named { .. }) => return html! {},
            Some(Agent::Expired) => "notice.expired",
            Some(Agent::Unavailable) => "notice.unavailable",
            Some(Agent::Invalid) => "notice.invalid",
        };
        html! { div.frame lang=(self.locale.name) { p.notice role="note" { (self.locale.text(notice)) } } }
    }

    fn intro(&self) -> Markup {
        let locale = self.locale;
        let wait = match &self.form.agent {
            // A preferred agent's calls wait for that agent, and no queue's figure says how long.
            Some(Agent::Named { .. }) => None,
            _ => self.form.wait_time_s.map(|seconds| Words::of(locale.name).wait(seconds)),
        };
        html! {
            p.intro {
                @match &self.form.agent {
                    Some(Agent::Named { name }) => { (locale.with("form.intro.agent", name)) }
                    _ => { (locale.with("form.intro", &self.form.name)) }
                }
            }
            @if let Some(wait) = wait { p.intro { (locale.with("form.wait", &wait)) } }
            @if let Some(opening) = &self.opening { p.intro { (locale.with("form.closed", opening)) } }
        }
    }

    /// What is wrong, before everything else: each with a link to where it is.
    fn summary(&self) -> Markup {
        let Some(alert) = &self.told.alert else {
            return html! {};
        };
        let wrong = self.controls().filter_map(|(control, label)| {
            let error = self.error(&control)?;
            Some((control, label, error))
        });
        let elsewhere = self
            .told
            .errors
            .iter()
            .filter(|error| !self.controls().any(|(control, _)| leads_to(&error.pointer, &control)));
        html! {
            // It has the focus when the page comes, so that whoever does not see it meets it first.
            div.alert #problem role="alert" tabindex="-1" autofocus {
                p { (alert) }
                ul {
                    @for (control, label, error) in wrong {
                        li {
                            a href={ "#" (control) } {
                                // The text of a consent is too long to lead to its box.
                                @if control != CONSENT { (label) ": " }
                                (error)
                            }
                        }
                    }
                    @for error in elsewhere { li { (self.locale.text(&format!("error.{}", error.code))) } }
                }
            }
        }
    }

    /// The places of the controls in the request, in their order, and what stands beside each.
    fn controls(&self) -> impl Iterator<Item = (String, &str)> {
        let fields = self.form.fields.iter().flat_map(|field| {
            let country = (field.kind == FieldKind::Tel && self.has_countries())
                .then(|| (COUNTRY.to_owned(), self.country_label()));
            country.into_iter().chain([(field.place(), field.label.as_str())])
        });
        let when = (!self.slots.is_empty()).then(|| (SCHEDULE.to_owned(), self.locale.text("form.when")));
        let consent = self.form.consent.as_ref().map(|consent| (CONSENT.to_owned(), consent.text.as_str()));
        fields.chain(when).chain(consent)
    }

    fn has_countries(&self) -> bool {
        self.form.countries.len() > 1
    }

    fn country_label(&self) -> &str {
        self.locale.text("field.country")
    }

    /// What is wrong with a control, in the words of the language.
    fn error(&self, control: &str) -> Option<String> {
        let error = self.told.errors.iter().find(|error| leads_to(&error.pointer, control))?;
        Some(self.locale.text(&format!("error.{}", error.code)).to_owned())
    }

    /// What stands in a field; of a box, whether it is ticked.
    fn value(&self, field: &Field) -> (&str, bool) {
        let callback = &self.posted.callback;
        if field.custom {
            return match callback.fields.get(&field.name) {
                Some(FieldValue::Text(text)) => (text, false),
                Some(FieldValue::Checked(checked)) => ("", *checked),
                None => ("", false),
            };
        }
        let text = match FieldName::parse(&field.name) {
            Some(FieldName::Name) => &callback.name,
            Some(FieldName::Phone) => &callback.phone,
            Some(FieldName::Email) => &callback.email,
            Some(FieldName::Reason) => &callback.reason,
            Some(FieldName::Message) => &callback.message,
            None => "",
        };
        (text, false)
    }

    fn field(&self, field: &Field) -> Markup {
        let place = field.place();
        let required = field.presence == Presence::Required;
        let control = self.control(field, &place, required);
        let label = html! { span dir="auto" { (field.label) } };
        html! {
            @if field.kind == FieldKind::Tel && self.has_countries() { (self.country()) }
            @if field.kind == FieldKind::Checkbox {
                div.field.box data-field=(place) {
                    (control)
                    label for=(place) { (label) (self.optional(required)) }
                    (said(&place, self.error(&place).as_deref()))
                }
            } @else {
                (self.row(&place, &label, required, &control))
            }
        }
    }

    fn control(&self, field: &Field, name: &str, required: bool) -> Markup {
        let ((value, checked), invalid) = (self.value(field), self.error(name).map(|_| "true"));
        let described_by = format!("{name}-error");
        let required = required.then_some("true");
        let autocomplete = field.autocomplete.as_deref();
        match field.kind {
            FieldKind::Textarea => html! {
                textarea id=(name) name=(name) rows="3" aria-describedby=(described_by) aria-required=[required]
                    aria-invalid=[invalid] {
                    // A line end after the tag is none of the text (HTML, element textarea).
                    "\n" (value)
                }
            },
            FieldKind::Choice => html! {
                select id=(name) name=(name) aria-describedby=(described_by) aria-required=[required]
                    aria-invalid=[invalid] {
                    option value="" { (self.locale.text("field.reason.choose")) }
                    @for choice in &field.options {
                        option value=(choice.id) selected[choice.id == value] { (choice.label) }
                    }
                }
            },
            FieldKind::Checkbox => html! {
                input id=(name) name={ (BOX) (field.name) } type="checkbox" value="yes" checked[checked]
                    aria-describedby=(described_by) aria-required=[required] aria-invalid=[invalid];
            },
            FieldKind::Text | FieldKind::Tel | FieldKind::Email => {
                let hints = Hints::of(field.kind);
                html! {
                    input id=(name) name=(name) value=(value) type=[hints.kind] inputmode=[hints.inputmode]
                        autocomplete=[autocomplete] autocapitalize=[hints.autocapitalize]
                        spellcheck=[hints.spellcheck] dir=[hints.dir] aria-describedby=(described_by)
                        aria-required=[required] aria-invalid=[invalid];
                }
            }
        }
    }

    fn country(&self) -> Markup {
        let words = Words::of(self.locale.name);
        let chosen = &self.posted.callback.country;
        let invalid = self.error(COUNTRY).map(|_| "true");
        let select = html! {
            select #country name=(COUNTRY) autocomplete="tel-country-code" aria-describedby="country-error" aria-required="true"
                aria-invalid=[invalid] {
                @for country in &self.form.countries {
                    // The code stands by itself, so that it reads from left to right in every language.
                    option value=(country.code) selected[country.code == *chosen] {
                        (words.country(&country.code)) " \u{2066}" (country.calling_code) "\u{2069}"
                    }
                }
            }
        };
        self.row(COUNTRY, &html! { (self.country_label()) }, true, &select)
    }

    /// As soon as possible, or one of the free times.
    fn when(&self) -> Markup {
        let error = self.error(SCHEDULE);
        let chosen = self.posted.callback.schedule.as_ref();
        let chosen = self.slots.iter().find(|slot| Some(&slot.as_request()) == chosen);
        html! {
            @if !self.slots.is_empty() {
                div.field data-field=(SCHEDULE) {
                    label for=(SCHEDULE) { (self.locale.text("form.when")) (slots::zone(&self.slots)) }
                    select #schedule name=(SCHEDULE) aria-describedby="schedule-error"
                        aria-invalid=[error.as_ref().map(|_| "true")] {
                        option value="" { (self.locale.text("form.now")) }
                        (slots::options(self.locale, &self.slots, chosen))
                    }
                    (said(SCHEDULE, error.as_deref()))
                }
            }
        }
    }

    fn consent(&self, consent: &ConsentText) -> Markup {
        let error = self.error(CONSENT);
        let ticked = self.posted.callback.consent.accepted && error.is_none();
        html! {
            div.field.box data-field=(CONSENT) {
                input #consent name=(CONSENT) type="checkbox" value="yes" checked[ticked] aria-required="true"
                    aria-describedby="consent-error" aria-invalid=[error.as_ref().map(|_| "true")];
                label for=(CONSENT) {
                    span dir="auto" { (consent.text) }
                    @if let Some(policy) = &consent.policy_url {
                        " " a href=(policy) target="_blank" rel="noopener" { (self.locale.text("consent.policy")) }
                    }
                }
                (said(CONSENT, error.as_deref()))
            }
        }
    }

    fn row(&self, name: &str, label: &Markup, required: bool, control: &Markup) -> Markup {
        html! {
            div.field data-field=(name) {
                label for=(name) { (label) (self.optional(required)) }
                (control)
                (said(name, self.error(name).as_deref()))
            }
        }
    }

    fn optional(&self, required: bool) -> Markup {
        html! {
            @if !required { span.optional { " (" (self.locale.text("form.optional")) ")" } }
        }
    }
}

/// What is said about a field, below it.
fn said(name: &str, error: Option<&str>) -> Markup {
    html! {
        p.error id={ (name) "-error" } hidden[error.is_none()] { (error.unwrap_or_default()) }
    }
}
