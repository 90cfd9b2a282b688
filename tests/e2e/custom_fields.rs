//! Fields of the operator's own: from a form or a CRM to the agent's screen.

use ringback_contract::callback::State;
use ringback_contract::field::Code;
use ringback_contract::problem::Kind;
use ringback_tests::house::House;
use ringback_tests::plain;
use ringback_tests::plan::{ORIGIN, Plan};
use ringback_tests::visitor;
use serde_json::{Value, json};
use toml::Table;
use webex_simulator::Pace;

/// What the visitor of these tests writes.
const ORDER: &str = "ZX-4711";

/// A site with one field of each kind.
fn furnish(plan: &mut Plan) {
    let own: Table = r#"
        [[custom_fields]]
        id = "order_number"
        kind = "text"
        label = { en = "Order number", de = "Bestellnummer" }
        max_length = 10
        autocomplete = "off"
        [[custom_fields]]
        id = "product"
        kind = "choice"
        label = "Product"
        choices = [{ id = "tent", label = { en = "A tent", de = "Ein Zelt" } }, { id = "stove", label = "A stove" }]
        [[custom_fields]]
        id = "member"
        kind = "checkbox"
        label = "I am a member"
        "#
    .parse()
    .unwrap();
    plan.set("sites.acme.custom_fields", own["custom_fields"].clone());
    plan.set("sites.acme.fields", vec!["order_number", "name", "phone", "member", "product"]);
    plan.set("sites.acme.required", vec!["order_number", "phone"]);
    let attributes = [
        ("Order", "No. {field.order_number}"),
        ("Product", "{field.product}"),
        ("Member", "{field.member}"),
        ("RingbackRef", "{callback_id}"),
    ];
    let attributes = attributes.map(|(name, template)| (name.to_owned(), template.into()));
    plan.set("sites.acme.attributes", Table::from_iter(attributes));
    plan.pace(Pace::Manual);
}

fn request_with(fields: &Value) -> Value {
    visitor::request_with(json!({ "email": null, "reason": null, "message": null, "fields": fields }))
}

#[tokio::test]
async fn the_form_tells_all_that_is_needed_to_draw_them_in_its_language() {
    let house = House::with(furnish).await;
    let form = house.get("/v1/sites/acme/form?locale=de").await.ok();
    let fields = form["fields"].as_array().unwrap();
    assert_eq!(
        fields[0],
        json!({
            "name": "order_number", "custom": true, "kind": "text", "label": "Bestellnummer", "presence": "required",
            "max_length": 10, "autocomplete": "off",
        })
    );
    assert_eq!(
        fields[3],
        json!({ "name": "member", "custom": true, "kind": "checkbox", "label": "I am a member", "presence": "optional" })
    );
    assert_eq!(fields[4]["options"][0], json!({ "id": "tent", "label": "Ein Zelt" }));
    let known: Vec<_> = fields[1..3].iter().map(|field| field.get("custom")).collect();
    assert_eq!(known, [None, None]);
}

#[tokio::test]
async fn what_stands_in_them_reaches_the_agent_and_the_crm() {
    let house = House::with(furnish).await;
    let fields = json!({ "order_number": format!(" {ORDER} "), "product": "tent", "member": true });
    let accepted = house.send(house.post(&request_with(&fields))).await.accepted();
    let task = house.until_tasks(1).await.remove(0);
    assert_eq!(task.attributes["Order"], format!("No. {ORDER}"));
    assert_eq!((task.attributes["Product"].as_str(), task.attributes["Member"].as_str()), ("A tent", "true"));
    let told = json!({ "order_number": ORDER, "product": "tent", "member": true });
    assert_eq!(house.record(&accepted.id).await["fields"], told);
    // Who follows it with the token alone is not told what the visitor wrote.
    let view = house.view(&accepted).await;
    assert_eq!(view.get("fields"), None);
}

#[tokio::test]
async fn a_crm_sends_them_too_and_need_not() {
    let house = House::with(furnish).await;
    let body = visitor::crm_request_with(json!({ "fields": { "product": "stove" } }));
    let accepted = house.send(house.crm_post(&body)).await.accepted();
    let task = house.until_tasks(1).await.remove(0);
    assert_eq!(task.attributes["Product"], "A stove");
    // Nothing is known of a box that the CRM does not name.
    assert!(!task.attributes.contains_key("Member"));
    assert_eq!(house.record(&accepted.id).await["fields"], json!({ "product": "stove" }));
    let wrong = visitor::crm_request_with(json!({ "fields": { "product": "boat", "shoe_size": "42" } }));
    let told = house.send(house.crm_post(&wrong)).await.refused_fields(Kind::Validation);
    let expected = [("/fields/product", Code::ChoiceUnknown), ("/fields/shoe_size", Code::UnknownField)];
    assert_eq!(told, expected.map(|(pointer, code)| (pointer.to_owned(), code.as_str().to_owned())));
}

#[tokio::test]
async fn every_rule_of_them_is_told_at_its_field() {
    let house = House::with(furnish).await;
    for (change, pointer, code) in [
        (json!({ "order_number": "" }), "/fields/order_number", Code::Required),
        (json!({ "order_number": "x".repeat(11) }), "/fields/order_number", Code::TooLong),
        (json!({ "order_number": "47\n11" }), "/fields/order_number", Code::ControlCharacter),
        (json!({ "order_number": "47\u{202e}11" }), "/fields/order_number", Code::ControlCharacter),
        (json!({ "order_number": true }), "/fields/order_number", Code::WrongType),
        (json!({ "product": "boat" }), "/fields/product", Code::ChoiceUnknown),
        (json!({ "product": false }), "/fields/product", Code::WrongType),
        (json!({ "member": "yes" }), "/fields/member", Code::WrongType),
        (json!({ "shoe/size": "42" }), "/fields/shoe~1size", Code::UnknownField),
    ] {
        let mut fields = json!({ "order_number": ORDER });
        fields.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
        let answer = house.send(house.post(&request_with(&fields))).await;
        let expected = vec![(pointer.to_owned(), code.as_str().to_owned())];
        assert_eq!(answer.refused_fields(Kind::Validation), expected, "{change}");
    }
    let many: serde_json::Map<_, _> = (0..13).map(|index| (format!("f{index}"), "x".into())).collect();
    let answer = house.send(house.post(&request_with(&many.into()))).await;
    let expected = vec![("/fields".to_owned(), Code::TooMany.as_str().to_owned())];
    assert_eq!(answer.refused_fields(Kind::Validation), expected);
    for (fields, pointer) in [
        (json!({ "order_number": 4711 }), "/fields/order_number"),
        (json!({ "order_number": null }), "/fields/order_number"),
        (json!({ "order_number": ["x"] }), "/fields/order_number"),
        (json!(["order_number"]), "/fields"),
    ] {
        let answer = house.send(house.post(&request_with(&fields))).await;
        let expected = vec![(pointer.to_owned(), Code::WrongType.as_str().to_owned())];
        assert_eq!(answer.refused_fields(Kind::WrongType), expected, "{fields}");
    }
    let twice = r#"{"name":"Ann","phone":"+12025550142","fields":{"product":"tent","product":"stove"}}"#;
    let request = house.request(reqwest::Method::POST, "/v1/sites/acme/callbacks").header("Origin", ORIGIN);
    let request = request.header("Content-Type", "application/json").body(twice);
    house.send(request).await.problem(Kind::NotJson);
    assert!(house.tasks().await.is_empty());
}

#[tokio::test]
async fn they_lie_sealed_and_are_forgotten_with_the_person() {
    let house = House::with(|plan| {
        furnish(plan);
        plan.pace(Pace::every(5));
        plan.set("store.encryption_key", ringback_tests::plan::ENCRYPTION_KEY);
    })
    .await;
    let accepted = house
        .send(house.post(&request_with(&json!({ "order_number": ORDER, "member": true }))))
        .await
        .accepted();
    house.until(&accepted.id, State::Completed).await;
    assert_eq!(house.record(&accepted.id).await["fields"]["order_number"], ORDER);
    assert!(!holds(&house, ORDER), "it lies in clear");
    let told = house.command_with(&["forget", "--phone", visitor::PHONE_E164], "");
    assert!(told.status.success(), "{told:?}");
    let record = house.record(&accepted.id).await;
    assert!(record["erased_at"].is_string());
    assert_eq!(record.get("fields"), None);
}

/// Whether a text stands in the files of the store.
fn holds(house: &House, text: &str) -> bool {
    let files = std::fs::read_dir(house.folder()).unwrap().map(|entry| entry.unwrap().path());
    let of_store = files.filter(|path| path.to_string_lossy().contains("ringback.db"));
    let bytes: Vec<u8> = of_store.flat_map(|path| std::fs::read(path).unwrap()).collect();
    bytes.windows(text.len()).any(|window| window == text.as_bytes())
}

#[tokio::test]
async fn the_plain_form_has_them_and_says_what_is_wrong_at_them() {
    let house = House::with(furnish).await;
    let page = house.plain_page().await;
    for part in [
        "name=\"fields/order_number\"",
        ">Order number</span>",
        "name=\"boxes/member\" type=\"checkbox\"",
        "<option value=\"stove\">A stove</option>",
    ] {
        assert!(page.contains(part), "{part}: {page}");
    }
    let mut members = plain::hidden(&page);
    for (name, value) in [
        ("name", visitor::NAME),
        ("country", "US"),
        ("phone", visitor::PHONE),
        ("fields/order_number", ""),
        ("fields/product", "stove"),
        ("boxes/member", "yes"),
        ("consent", "yes"),
    ] {
        members.push((name.to_owned(), value.to_owned()));
    }
    let refused = house.send(house.plain_post(&plain::action(&page), &members)).await;
    let text = refused.text();
    assert!(text.contains("href=\"#fields/order_number\""), "{text}");
    assert!(text.contains("<option value=\"stove\" selected>") && text.contains(" checked"), "{text}");
    let members = plain::with(members, "fields/order_number", ORDER);
    house.send(house.plain_post(&plain::action(&page), &members)).await;
    let task = house.until_tasks(1).await.remove(0);
    assert_eq!(task.attributes["Order"], format!("No. {ORDER}"));
    assert_eq!(
        (task.attributes["Product"].as_str(), task.attributes["Member"].as_str()),
        ("A stove", "true")
    );
}
