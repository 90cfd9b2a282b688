//! What a browser needs to draw a site's form.

use std::collections::BTreeMap;

use jiff::Timestamp;
use ringback_contract::captcha::Captcha;
use ringback_contract::field::{EMAIL_MAX, MESSAGE_MAX, NAME_MAX, PHONE_TYPED_MAX};
use ringback_contract::form::{
    Agent, Choice, ConsentText, Country, Field, FieldKind, FieldName, Form, ScheduleOffer,
};
use ringback_contract::proof::Challenge;
use ringback_contract::texts::Part;

use crate::hours::Hours;
use crate::locale::Locale;
use crate::phone;
use crate::schedule::with_offset;
use crate::site::{CustomKind, FieldId, Reason, Site};
use crate::webex::wait_time::WaitTimes;

/// What guards a form that is asked for now.
#[derive(Clone, Debug)]
pub struct Guarded {
    /// A token of this moment.
    pub opened: String,
    /// How long a person needs to fill it in, in milliseconds.
    pub typing_ms: u32,
    /// The captcha to show.
    pub captcha: Option<Captcha>,
    /// The work to prove.
    pub proof: Option<Challenge>,
}

/// Describes a site's form in a language; `agent` is what became of a preferred-agent token.
pub fn describe(
    site_id: &str,
    site: &Site,
    locale: &Locale,
    agent: Option<Agent>,
    wait_times: &WaitTimes,
    guarded: Guarded,
    now: Timestamp,
) -> Form {
    let wait_time = site.wait_time.as_ref().and_then(|source| wait_times.known(source));
    let some = |text: &String| Some(text.clone()).filter(|text| !text.is_empty());
    let mut texts = locale.texts_of(Part::Form);
    let fields = site.fields.iter().filter(|field| site.shows(field));
    let fields = fields.filter_map(|field| match field {
        FieldId::Known(name) => Some(known(*name, site, locale, &texts, wait_times)),
        FieldId::Custom(id) => custom(id, site, locale),
    });
    let fields: Vec<_> = fields.collect();
    // They stand at their fields now.
    for name in FieldName::ALL {
        texts.remove(&label_key(name));
    }
    Form {
        site: site_id.to_owned(),
        name: site.name.clone(),
        locale: locale.name.to_owned(),
        direction: locale.direction,
        texts,
        theme: site.theme.shown(None),
        fields,
        countries: site.countries.iter().filter_map(|code| country(code)).collect(),
        prefill_from_address: site.prefill_from_address,
        consent: site.consent.as_ref().map(|consent| ConsentText {
            version: consent.version.clone(),
            text: consent.text.clone(),
            policy_url: some(&consent.policy_url),
        }),
        agent,
        schedule: site.schedule.as_ref().map(|offer| ScheduleOffer {
            timezone: offer.timezone.clone(),
            horizon_days: offer.horizon_days,
            notice_minutes: offer.notice_minutes,
            shortest_minutes: offer.shortest_minutes,
            longest_minutes: offer.longest_minutes,
            slot_minutes: offer.slot_minutes(),
        }),
        opens_at: site.hours.as_ref().and_then(|hours| opening_after(hours, now)),
        phone: some(&site.phone),
        wait_time_s: wait_time.map(|known| known.seconds()),
        wait_time_at: wait_time.map(|known| known.measured_at.to_string()),
        opened: guarded.opened,
        typing_ms: guarded.typing_ms,
        captcha: guarded.captcha,
        proof: guarded.proof,
    }
}

/// When the site opens, where it is closed.
fn opening_after(hours: &Hours, now: Timestamp) -> Option<String> {
    Some(with_offset(hours.opening_after(now)?.opens_at, &hours.timezone))
}

/// The key of the text that stands beside a field.
fn label_key(name: FieldName) -> String {
    format!("field.{}", name.as_str())
}

/// A field that every site knows.
fn known(
    name: FieldName,
    site: &Site,
    locale: &Locale,
    texts: &BTreeMap<String, String>,
    wait_times: &WaitTimes,
) -> Field {
    let (kind, max_length, autocomplete) = match name {
        FieldName::Name => (FieldKind::Text, Some(NAME_MAX), Some("name")),
        FieldName::Phone => (FieldKind::Tel, Some(PHONE_TYPED_MAX), Some("tel")),
        FieldName::Email => (FieldKind::Email, Some(EMAIL_MAX), Some("email")),
        FieldName::Reason => (FieldKind::Choice, None, None),
        FieldName::Message => (FieldKind::Textarea, Some(MESSAGE_MAX), None),
    };
    let of_reason = |reason: &Reason| {
        let source = site.wait_time_for(&reason.id).filter(|_| !reason.queue.is_empty())?;
        Some(wait_times.known(&source)?.seconds())
    };
    let reasons = site.reasons.iter().filter(|_| name == FieldName::Reason);
    Field {
        name: name.as_str().to_owned(),
        custom: false,
        kind,
        label: texts.get(&label_key(name)).cloned().unwrap_or_default(),
        presence: site.presence(&FieldId::Known(name)),
        max_length,
        options: reasons
            .map(|reason| Choice {
                id: reason.id.clone(),
                label: reason.label.of(locale.name, &site.locale).to_owned(),
                wait_time_s: of_reason(reason),
            })
            .collect(),
        autocomplete: autocomplete.map(str::to_owned),
    }
}

/// A field of the operator's own.
fn custom(id: &str, site: &Site, locale: &Locale) -> Option<Field> {
    let field = site.custom_field(id)?;
    let kind = match field.kind {
        CustomKind::Text => FieldKind::Text,
        CustomKind::Choice => FieldKind::Choice,
        CustomKind::Checkbox => FieldKind::Checkbox,
    };
    let options = field.choices.iter().map(|choice| Choice {
        id: choice.id.clone(),
        label: choice.label.of(locale.name, &site.locale).to_owned(),
        wait_time_s: None,
    });
    Some(Field {
        name: id.to_owned(),
        custom: true,
        kind,
        label: field.label.of(locale.name, &site.locale).to_owned(),
        presence: site.presence(&FieldId::Custom(id.to_owned())),
        max_length: Some(field.max_length).filter(|_| field.kind == CustomKind::Text),
        options: options.collect(),
        autocomplete: Some(field.autocomplete.clone()).filter(|token| !token.is_empty()),
    })
}

fn country(code: &str) -> Option<Country> {
    // The configuration is refused where a country has none.
    let (national, international) = phone::groups(code);
    Some(Country {
        code: code.to_owned(),
        calling_code: phone::calling_code(code)?,
        national: national.to_owned(),
        international: international.to_owned(),
    })
}
