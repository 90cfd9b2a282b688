//! The plain form, drawn from the same description as the form of `widget/`.

use maud::{Markup, html};
use ringback_contract::field::Presence;
use ringback_contract::form::{Agent, ConsentText, FieldName, Form};
use ringback_contract::problem::FieldError;

use super::posted::{CONSENT, CONSENT_VERSION, KEY, Posted, WAITED};
use crate::locale::Locale;
use crate::words::Words;

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
}

/// What tells the browser how to fill a field in, and which keyboard to show.
#[derive(Default)]
struct Hints {
    kind: Option<&'static str>,
    inputmode: Option<&'static str>,
    autocomplete: Option<&'static str>,
    autocapitalize: Option<&'static str>,
    spellcheck: Option<&'static str>,
    dir: Option<&'static str>,
}

impl Hints {
    fn of(field: FieldName) -> Self {
        let autocomplete = |token| Self { autocomplete: Some(token), ..Self::default() };
        match field {
            FieldName::Name => autocomplete("name"),
            FieldName::Phone => {
                Self { kind: Some("tel"), inputmode: Some("tel"), dir: Some("ltr"), ..autocomplete("tel") }
            }
            // Not of type `email`, which would hide the white space that the rule judges and change the domain's letters.
            FieldName::Email => Self {
                inputmode: Some("email"),
                autocapitalize: Some("off"),
                spellcheck: Some("false"),
                dir: Some("ltr"),
                ..autocomplete("email")
            },
            FieldName::Reason | FieldName::Message => Self::default(),
        }
    }
}

impl<'a> FormView<'a> {
    pub(super) fn new(form: &'a Form, locale: &'a Locale, posted: &'a Posted, told: &'a Told) -> Self {
        Self { form, locale, posted, told }
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
                    @for field in &self.form.fields { (self.field(field.name, field.presence)) }
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
        }
    }

    /// What is wrong, before everything else: each with a link to where it is.
    fn summary(&self) -> Markup {
        let Some(alert) = &self.told.alert else {
            return html! {};
        };
        let wrong = self.controls().filter_map(|control| Some((control, self.error(control)?)));
        let elsewhere = self.told.errors.iter().filter(|error| {
            let member = member(error);
            !self.controls().any(|control| control == member)
        });
        html! {
            // It has the focus when the page comes, so that whoever does not see it meets it first.
            div.alert #problem role="alert" tabindex="-1" autofocus {
                p { (alert) }
                ul {
                    @for (control, error) in wrong {
                        li {
                            a href={ "#" (control) } {
                                // The text of a consent is too long to lead to its box.
                                @if control != CONSENT { (self.label(control)) ": " }
                                (error)
                            }
                        }
                    }
                    @for error in elsewhere { li { (self.locale.text(&format!("error.{}", error.code))) } }
                }
            }
        }
    }

    /// The names of the controls, in their order.
    fn controls(&self) -> impl Iterator<Item = &'static str> {
        let fields = self.form.fields.iter().flat_map(|field| {
            let country = (field.name == FieldName::Phone && self.has_countries()).then_some("country");
            country.into_iter().chain([name_of(field.name)])
        });
        fields.chain(self.form.consent.is_some().then_some(CONSENT))
    }

    fn has_countries(&self) -> bool {
        self.form.countries.len() > 1
    }

    fn label(&self, control: &str) -> &str {
        self.locale.texts.get(&format!("field.{control}")).map_or("", String::as_str)
    }

    /// What is wrong with a control, in the words of the language.
    fn error(&self, control: &str) -> Option<String> {
        let error = self.told.errors.iter().find(|error| member(error) == control)?;
        Some(self.locale.text(&format!("error.{}", error.code)).to_owned())
    }

    fn value(&self, field: FieldName) -> &str {
        let callback = &self.posted.callback;
        match field {
            FieldName::Name => &callback.name,
            FieldName::Phone => &callback.phone,
            FieldName::Email => &callback.email,
            FieldName::Reason => &callback.reason,
            FieldName::Message => &callback.message,
        }
    }

    fn field(&self, field: FieldName, presence: Presence) -> Markup {
        let name = name_of(field);
        let required = presence == Presence::Required;
        html! {
            @if field == FieldName::Phone && self.has_countries() { (self.country()) }
            (self.row(name, required, &self.control(field, name, required)))
        }
    }

    fn control(&self, field: FieldName, name: &str, required: bool) -> Markup {
        let (value, invalid) = (self.value(field), self.error(name).map(|_| "true"));
        let described_by = format!("{name}-error");
        let required = required.then_some("true");
        match field {
            FieldName::Message => html! {
                textarea id=(name) name=(name) rows="3" aria-describedby=(described_by) aria-required=[required]
                    aria-invalid=[invalid] {
                    // A line end after the tag is none of the text (HTML, element textarea).
                    "\n" (value)
                }
            },
            FieldName::Reason => html! {
                select id=(name) name=(name) aria-describedby=(described_by) aria-required=[required]
                    aria-invalid=[invalid] {
                    option value="" { (self.locale.text("field.reason.choose")) }
                    @for reason in &self.form.reasons {
                        option value=(reason.id) selected[reason.id == value] { (reason.label) }
                    }
                }
            },
            FieldName::Name | FieldName::Phone | FieldName::Email => {
                let hints = Hints::of(field);
                html! {
                    input id=(name) name=(name) value=(value) type=[hints.kind] inputmode=[hints.inputmode]
                        autocomplete=[hints.autocomplete] autocapitalize=[hints.autocapitalize]
                        spellcheck=[hints.spellcheck] dir=[hints.dir] aria-describedby=(described_by)
                        aria-required=[required] aria-invalid=[invalid];
                }
            }
        }
    }

    fn country(&self) -> Markup {
        let words = Words::of(self.locale.name);
        let chosen = &self.posted.callback.country;
        let invalid = self.error("country").map(|_| "true");
        let select = html! {
            select #country name="country" autocomplete="country" aria-describedby="country-error" aria-required="true"
                aria-invalid=[invalid] {
                @for country in &self.form.countries {
                    option value=(country) selected[country == chosen] { (words.country(country)) }
                }
            }
        };
        self.row("country", true, &select)
    }

    fn consent(&self, consent: &ConsentText) -> Markup {
        let error = self.error(CONSENT);
        let ticked = self.posted.callback.consent.accepted && error.is_none();
        html! {
            div.field data-field=(CONSENT) {
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

    fn row(&self, name: &str, required: bool, control: &Markup) -> Markup {
        html! {
            div.field data-field=(name) {
                label for=(name) {
                    (self.label(name))
                    @if !required { span.optional { " (" (self.locale.text("form.optional")) ")" } }
                }
                (control)
                (said(name, self.error(name).as_deref()))
            }
        }
    }
}

/// What is said about a field, below it.
fn said(name: &str, error: Option<&str>) -> Markup {
    html! {
        p.error id={ (name) "-error" } hidden[error.is_none()] { (error.unwrap_or_default()) }
    }
}

/// The member of the request that a JSON Pointer (RFC 6901) leads into.
fn member(error: &FieldError) -> &str {
    let pointer = error.pointer.trim_start_matches('/');
    pointer.split('/').next().unwrap_or(pointer)
}

/// The member of the request that a field fills.
const fn name_of(field: FieldName) -> &'static str {
    match field {
        FieldName::Name => "name",
        FieldName::Phone => "phone",
        FieldName::Email => "email",
        FieldName::Reason => "reason",
        FieldName::Message => "message",
    }
}
