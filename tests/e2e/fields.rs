//! Every rule of every field has a code, and the service names it at its field.

use std::collections::BTreeSet;

use reqwest::Method;
use ringback_contract::field::Code;
use ringback_contract::problem::Kind;
use ringback_tests::eventually::eventually;
use ringback_tests::house::House;
use ringback_tests::visitor;
use serde_json::{Value, json};
use webex_simulator::organization;

/// What a visitor may send, at which pointer it is refused, and with which code.
fn visitors_mistakes() -> Vec<(Value, &'static str, Code)> {
    let long = |length: usize| json!("x".repeat(length));
    vec![
        (json!({ "name": "" }), "/name", Code::Required),
        (json!({ "name": null }), "/name", Code::Required),
        (json!({ "name": "  \t" }), "/name", Code::Required),
        (json!({ "name": long(101) }), "/name", Code::TooLong),
        (json!({ "name": "Ann\u{202e}elpmaxE" }), "/name", Code::ControlCharacter),
        (json!({ "phone": "" }), "/phone", Code::Required),
        (json!({ "phone": "202 555 0142 ext" }), "/phone", Code::PhoneCharacter),
        (json!({ "phone": "555" }), "/phone", Code::PhoneTooShort),
        (json!({ "phone": "+1 202 555 0142 202 555 0142" }), "/phone", Code::PhoneTooLong),
        (json!({ "phone": "+1 202 555" }), "/phone", Code::PhoneNotValid),
        (json!({ "phone": "+44 20 7946 0142" }), "/phone", Code::PhoneNotAllowed),
        (json!({ "phone": "+1 900 555 0142" }), "/phone", Code::PhoneNotAllowed),
        (json!({ "country": "us" }), "/country", Code::CountryShape),
        (json!({ "email": "ann@" }), "/email", Code::EmailShape),
        (json!({ "email": format!("ann@{}.com", "x".repeat(260)) }), "/email", Code::TooLong),
        (json!({ "reason": "refund" }), "/reason", Code::ReasonUnknown),
        (json!({ "message": long(1001) }), "/message", Code::TooLong),
        (json!({ "message": "a\u{0}b" }), "/message", Code::ControlCharacter),
        (json!({ "consent": { "accepted": false } }), "/consent", Code::ConsentRequired),
        (json!({ "consent": null }), "/consent", Code::ConsentRequired),
        (json!({ "consent": { "accepted": true, "version": "2025-01" } }), "/consent", Code::ConsentOutdated),
        (json!({ "page": "javascript:alert(1)" }), "/page", Code::PageAddress),
        (json!({ "page": format!("https://www.acme.example/{}", "x".repeat(2048)) }), "/page", Code::TooLong),
        (json!({ "locale": "en_US" }), "/locale", Code::LocaleShape),
        (json!({ "agent": "forged" }), "/agent", Code::LinkInvalid),
    ]
}

/// The same for a CRM.
fn crms_mistakes() -> Vec<(Value, &'static str, Code)> {
    vec![
        (json!({ "phone": "12" }), "/phone", Code::PhoneTooShort),
        (json!({ "agent": "nobody" }), "/agent", Code::AgentUnknown),
        // He takes callbacks for the other site alone.
        (json!({ "agent": "omar" }), "/agent", Code::AgentUnknown),
        (json!({ "reference": "x".repeat(101) }), "/reference", Code::TooLong),
        (json!({ "reference": "a\nb" }), "/reference", Code::ControlCharacter),
        (json!({ "reason": "refund" }), "/reason", Code::ReasonUnknown),
    ]
}

#[tokio::test]
async fn every_rule_of_a_visitors_field_is_told_at_its_field() {
    let house = House::open().await;
    for (change, pointer, code) in visitors_mistakes() {
        let answer = house.send(house.post(&visitor::request_with(change.clone()))).await;
        let expected = vec![(pointer.to_owned(), code.as_str().to_owned())];
        assert_eq!(answer.refused_fields(Kind::Validation), expected, "{change}");
    }
    assert!(house.tasks().await.is_empty());
}

#[tokio::test]
async fn numbers_of_the_house_and_those_that_the_operator_refuses_are_not_called() {
    let house = House::with(|plan| {
        plan.set("sites.acme.ani", organization::DEFAULT_ANI);
        plan.set("sites.other.ani", organization::SECOND_ANI);
        plan.set("sites.other.phone", "+1 202 555 0180");
        plan.set("sites.acme.call_prefixes", vec!["+1", "+4930"]);
        plan.set("sites.acme.refuse_prefixes", vec!["+1202555017"]);
    })
    .await;
    let own = organization::DEFAULT_ANI;
    // The last is the one that a site shows its visitors.
    let refused = [own, organization::SECOND_ANI, "+1 202 555 0171", "+49 89 123456", "(202) 555-0180"];
    for number in refused {
        let expected = vec![("/phone".to_owned(), Code::PhoneNotAllowed.as_str().to_owned())];
        let change = json!({ "phone": number });
        let answer = house.send(house.post(&visitor::request_with(change.clone()))).await;
        assert_eq!(answer.refused_fields(Kind::Validation), expected, "{number}");
        let answer = house.send(house.crm_post(&visitor::crm_request_with(change))).await;
        assert_eq!(answer.refused_fields(Kind::Validation), expected, "{number}");
    }
    for number in ["+1 202 555 0181", "+49 30 123456"] {
        house.send(house.post(&visitor::request_with(json!({ "phone": number })))).await.accepted();
    }
}

#[tokio::test]
async fn every_rule_of_a_crms_field_is_told_at_its_field() {
    let house = House::open().await;
    for (change, pointer, code) in crms_mistakes() {
        let answer = house.send(house.crm_post(&visitor::crm_request_with(change.clone()))).await;
        let expected = vec![(pointer.to_owned(), code.as_str().to_owned())];
        assert_eq!(answer.refused_fields(Kind::Validation), expected, "{change}");
    }
}

#[tokio::test]
async fn everything_that_is_wrong_is_told_at_once() {
    let house = House::open().await;
    let request = json!({ "name": "", "phone": "x", "email": "y", "reason": "z", "locale": "_" });
    let fields = house.send(house.post(&request)).await.refused_fields(Kind::Validation);
    let pointers: Vec<_> = fields.iter().map(|(pointer, _)| pointer.as_str()).collect();
    assert_eq!(pointers, ["/consent", "/email", "/locale", "/name", "/phone", "/reason"]);
}

#[tokio::test]
async fn a_link_that_has_run_out_is_told_as_such() {
    let house = House::open().await;
    let token = house.agent_token("acme", "grace", "1s");
    eventually("the link runs out", async || {
        let form = house.get(&format!("/v1/sites/acme/form?agent={token}")).await.ok();
        (form["agent"]["status"] == "expired").then_some(())
    })
    .await;
    let answer = house.send(house.post(&visitor::request_with(json!({ "agent": token })))).await;
    let expected = vec![("/agent".to_owned(), Code::LinkExpired.as_str().to_owned())];
    assert_eq!(answer.refused_fields(Kind::Validation), expected);
}

#[tokio::test]
async fn unknown_and_mistyped_members_are_told_by_name() {
    let house = House::open().await;
    for (change, pointer) in [
        (json!({ "phnoe": "1" }), "/phnoe"),
        (json!({ "consent": { "accepted": true, "version": "2026-01", "when": 1 } }), "/consent/when"),
    ] {
        let answer = house.send(house.post(&visitor::request_with(change))).await;
        let expected = vec![(pointer.to_owned(), Code::UnknownField.as_str().to_owned())];
        assert_eq!(answer.refused_fields(Kind::UnknownField), expected);
    }
    for (change, pointer) in [
        (json!({ "name": 5 }), "/name"),
        (json!({ "phone": ["1"] }), "/phone"),
        (json!({ "consent": "yes" }), "/consent"),
        (json!({ "consent": { "accepted": "yes" } }), "/consent/accepted"),
    ] {
        let answer = house.send(house.post(&visitor::request_with(change))).await;
        let expected = vec![(pointer.to_owned(), Code::WrongType.as_str().to_owned())];
        assert_eq!(answer.refused_fields(Kind::WrongType), expected);
    }
    let missing = house.send(house.crm_post(&visitor::crm_request_with(json!({ "site": null })))).await;
    let expected = vec![("/site".to_owned(), Code::Required.as_str().to_owned())];
    assert_eq!(missing.refused_fields(Kind::WrongType), expected);
    let list = house.request(Method::POST, "/v1/callbacks").bearer_auth(ringback_tests::plan::API_KEY);
    house.send(list.json(&json!(["a", "b"]))).await.problem(Kind::WrongType);
}

#[test]
fn no_code_is_forgotten_here() {
    let mistakes = visitors_mistakes().into_iter().chain(crms_mistakes());
    let mut seen: BTreeSet<_> = mistakes.map(|(_, _, code)| code.as_str()).collect();
    // In tests of their own.
    seen.extend(
        [
            Code::AgentUnavailable,
            Code::LinkExpired,
            Code::UnknownField,
            Code::WrongType,
            Code::TooMany,
            Code::ChoiceUnknown,
            Code::Reserved,
            Code::OutOfRange,
            Code::OneAtATime,
            Code::ScheduleNotOffered,
            Code::DateShape,
            Code::TimeShape,
            Code::TimeSkipped,
            Code::TimezoneUnknown,
            Code::WindowOrder,
            Code::WindowShort,
            Code::WindowLong,
            Code::WindowSoon,
            Code::WindowFar,
            Code::OutsideHours,
            Code::SlotFull,
        ]
        .map(Code::as_str),
    );
    // Said to operators of their configuration, and as problems of their own.
    seen.extend([Code::IdentifierShape, Code::SiteUnknown].map(Code::as_str));
    let all: BTreeSet<_> = Code::ALL.iter().map(|code| code.as_str()).collect();
    assert_eq!(seen, all);
}
