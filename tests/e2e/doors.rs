//! The ways in, each up to the end of the call.

use reqwest::Method;
use ringback_contract::callback::State;
use ringback_contract::problem::Kind;
use ringback_tests::house::House;
use ringback_tests::plan::API_KEY;
use ringback_tests::visitor;
use serde_json::{Value, json};
use toml::Table;
use webex_simulator::{Operation, OutboundType, organization};

/// The body of the only request to make a task.
async fn task_body(house: &House) -> Value {
    let requests = house.control().requests_for(Operation::CreateTask).await.unwrap();
    assert_eq!(requests.len(), 1, "{requests:#?}");
    serde_json::from_str(&requests[0].body).unwrap()
}

#[tokio::test]
async fn a_visitor_of_a_website_is_called_back() {
    let house = House::open().await;
    let answer = house.send(house.post(&visitor::request())).await;
    let accepted = answer.accepted();
    assert_eq!(accepted.state, State::Accepted);
    assert_eq!(answer.header("location"), format!("/v1/callbacks/{}", accepted.id));
    house.until(&accepted.id, State::Completed).await;

    assert_eq!(
        task_body(&house).await,
        json!({
            "entryPointId": organization::CALLBACK_ENTRY_POINT,
            "destination": visitor::PHONE_E164,
            "outboundType": "CALLBACK",
            "mediaType": "telephony",
            "callback": { "callbackOrigin": "web", "callbackType": "immediate" },
            "attributes": {
                "CallReason": "Orders",
                "Name": visitor::NAME,
                "Email": visitor::EMAIL,
                // Without the query: it may hold what is nobody's business.
                "Page": "https://www.acme.example/tents",
                "RingbackRef": accepted.id,
            },
        })
    );
    let requests = house.control().requests_for(Operation::CreateTask).await.unwrap();
    let header = |name: &str| {
        requests[0].headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    };
    assert_eq!(header("authorization"), Some(format!("Bearer {}", organization::ACCESS_TOKEN).as_str()));
    assert_eq!(header("content-type"), Some("application/json"));
    assert!(header("trackingid").is_some_and(|id| id.starts_with("RINGBACK_")), "{:?}", header("trackingid"));
    assert_eq!(house.control().rings(visitor::PHONE_E164).await.unwrap(), 1);
}

#[tokio::test]
async fn a_reason_can_have_an_entry_point_of_its_own() {
    let house = House::open().await;
    let request = visitor::request_with(json!({ "reason": "billing" }));
    let accepted = house.send(house.post(&request)).await.accepted();
    house.until(&accepted.id, State::Completed).await;
    let body = task_body(&house).await;
    assert_eq!(body["entryPointId"], organization::BILLING_ENTRY_POINT);
    assert_eq!(body["attributes"]["CallReason"], "Billing");
}

#[tokio::test]
async fn the_sites_own_ani_is_what_the_visitor_sees_calling() {
    let house = House::with(|plan| plan.set("sites.acme.ani", organization::SECOND_ANI)).await;
    let accepted = house.ask().await;
    house.until(&accepted.id, State::Completed).await;
    assert_eq!(task_body(&house).await["origin"], organization::SECOND_ANI);
}

#[tokio::test]
async fn only_a_name_and_a_number_are_needed_where_the_site_asks_for_no_more() {
    let house = House::with(|plan| plan.unset("sites.acme.consent")).await;
    let request = json!({ "name": visitor::NAME, "phone": visitor::PHONE });
    let accepted = house.send(house.post(&request)).await.accepted();
    house.until(&accepted.id, State::Completed).await;
    let attributes = &task_body(&house).await["attributes"];
    assert_eq!(attributes, &json!({ "Name": visitor::NAME, "RingbackRef": accepted.id }));
}

#[tokio::test]
async fn a_link_leads_to_its_agent_whose_address_stays_with_the_service() {
    let house = House::open().await;
    let token = house.agent_token("acme", "grace", "30d");
    let form = house.get(&format!("/v1/sites/acme/form?locale=en&agent={token}")).await;
    assert_eq!(form.ok()["agent"], json!({ "status": "named", "name": "Grace Loh" }));
    let request = visitor::request_with(json!({ "agent": token }));
    let answer = house.send(house.post(&request)).await;
    let accepted = answer.accepted();
    let record = house.until(&accepted.id, State::Completed).await;
    let view = house.view(&accepted).await;
    assert_eq!(view["agent"], "Grace Loh");
    for seen in [form.text(), answer.text(), view.to_string(), record.to_string()] {
        assert!(!seen.contains(organization::GRACE_EMAIL), "{seen}");
    }

    let body = task_body(&house).await;
    assert_eq!(body["outboundType"], "EXECUTE_FLOW");
    assert_eq!(body["entryPointId"], organization::FLOW_ENTRY_POINT);
    assert_eq!(body["origin"], organization::DEFAULT_ANI);
    assert_eq!(body["destination"], visitor::PHONE_E164);
    assert_eq!(body["attributes"]["preferredAgent"], organization::GRACE_EMAIL);
    assert_eq!(body["attributes"]["RingbackRef"], accepted.id);
    assert_eq!(body.get("callback"), None);
    let tasks = house.tasks().await;
    assert_eq!(tasks[0].outbound_type, OutboundType::ExecuteFlow);
    assert_eq!(tasks[0].preferred_agent_id.as_deref(), Some(organization::GRACE_ID));
}

#[tokio::test]
async fn an_agent_can_be_named_by_id() {
    let house = House::with(|plan| {
        plan.set("sites.acme.preferred_agent.identify_by", "id");
        plan.set("sites.acme.preferred_agent.variable", "agentEmail");
        plan.set("agents.grace.id", organization::GRACE_ID);
    })
    .await;
    let token = house.agent_token("acme", "grace", "30d");
    let accepted = house.send(house.post(&visitor::request_with(json!({ "agent": token })))).await.accepted();
    house.until(&accepted.id, State::Completed).await;
    let attributes = &task_body(&house).await["attributes"];
    assert_eq!(attributes["agentEmail"], organization::GRACE_ID);
    assert_eq!(attributes.get("preferredAgent"), None);
}

#[tokio::test]
async fn a_crm_gets_a_callback_and_its_reference_back() {
    let house = House::open().await;
    let answer = house.send(house.crm_post(&visitor::crm_request())).await;
    let accepted = answer.accepted();
    assert_eq!(answer.header("location"), format!("/v1/callbacks/{}", accepted.id));
    let record = house.until(&accepted.id, State::Completed).await;
    let tasks = house.tasks().await;
    assert_eq!(tasks.len(), 1);
    assert_eq!(record["task_id"], tasks[0].id);
    assert_eq!(record["reference"], "case 4711/17");
    assert_eq!(record["attempts"], 1);
    assert_eq!(record["site"], "acme");
    assert_eq!(record["cancellable"], false);
    assert!(record["deadline"].as_str().unwrap() > record["created_at"].as_str().unwrap());
    let body = task_body(&house).await;
    assert_eq!(body["outboundType"], "CALLBACK");
    assert_eq!(body["destination"], visitor::PHONE_E164);
    // The visitor's view of it has nothing that is the CRM's.
    let view = house.view(&accepted).await;
    for member in ["reference", "task_id", "attempts", "deadline", "failure_detail"] {
        assert_eq!(view.get(member), None);
    }
}

#[tokio::test]
async fn a_crm_names_the_agent_by_handle() {
    let house = House::open().await;
    let request = visitor::crm_request_with(json!({ "agent": "grace" }));
    let accepted = house.send(house.crm_post(&request)).await.accepted();
    house.until(&accepted.id, State::Completed).await;
    let body = task_body(&house).await;
    assert_eq!(body["outboundType"], "EXECUTE_FLOW");
    assert_eq!(body["attributes"]["preferredAgent"], organization::GRACE_EMAIL);
}

#[tokio::test]
async fn a_number_that_begins_with_plus_needs_no_country() {
    let house = House::open().await;
    let request = visitor::request_with(json!({ "phone": "+1 202 555 0143", "country": null }));
    let accepted = house.send(house.post(&request)).await.accepted();
    house.until(&accepted.id, State::Completed).await;
    assert_eq!(task_body(&house).await["destination"], "+12025550143");
}

#[tokio::test]
async fn many_visitors_at_once_are_each_called_once() {
    let house = House::open().await;
    let numbers: Vec<_> = (100..140).map(|number| format!("+12025550{number}")).collect();
    let asked = futures_util::future::join_all(numbers.iter().map(async |number| {
        let request = visitor::request_with(json!({ "phone": number }));
        house.send(house.post(&request)).await.accepted().id
    }))
    .await;
    for id in &asked {
        house.until(id, State::Completed).await;
    }
    let tasks = house.tasks().await;
    assert_eq!(tasks.len(), numbers.len());
    for number in &numbers {
        assert_eq!(house.control().rings(number).await.unwrap(), 1, "{number}");
    }
}

#[tokio::test]
async fn an_agent_is_shown_the_pages_of_the_site_alone() {
    let house = House::open().await;
    let elsewhere = visitor::request_with(json!({ "page": "https://evil.example/log-in-again" }));
    let accepted = house.send(house.post(&elsewhere)).await.accepted();
    house.until(&accepted.id, State::Completed).await;
    let attributes = &task_body(&house).await["attributes"];
    assert_eq!((&attributes["RingbackRef"], attributes.get("Page")), (&json!(accepted.id), None));
}

#[tokio::test]
async fn what_the_visitor_wrote_reaches_webex_without_control_characters_and_within_its_limits() {
    let house = House::with(|plan| {
        let mut attributes = Table::new();
        attributes.insert("Message".to_owned(), "{message}".into());
        attributes.insert("RingbackRef".to_owned(), "{callback_id}".into());
        plan.set("sites.acme.attributes", attributes);
    })
    .await;
    let message = format!("First line\r\nsecond {}", "ü".repeat(900));
    let accepted =
        house.send(house.post(&visitor::request_with(json!({ "message": message })))).await.accepted();
    house.until(&accepted.id, State::Completed).await;
    let body = task_body(&house).await;
    let sent = body["attributes"]["Message"].as_str().unwrap();
    assert!(sent.starts_with("First line second ü"), "{sent}");
    assert!((1023..=1024).contains(&sent.len()), "{}", sent.len());
}

#[tokio::test]
async fn the_form_is_described_as_the_operator_configured_it() {
    let house = House::open().await;
    let form = house.get("/v1/sites/acme/form?locale=de").await.ok();
    assert_eq!((&form["site"], &form["name"]), (&json!("acme"), &json!("Acme Outdoor")));
    assert_eq!((&form["locale"], &form["direction"]), (&json!("de"), &json!("ltr")));
    let countries = form["countries"].as_array().unwrap();
    let told: Vec<_> = countries.iter().map(|country| (&country["code"], &country["calling_code"])).collect();
    assert_eq!(told, [(&json!("US"), &json!("+1")), (&json!("DE"), &json!("+49"))]);
    assert_eq!(countries[0]["national"], "23456789:(3) 3-4");
    assert_eq!(countries[0]["international"], "23456789:3-3-4");
    assert_eq!(form["consent"]["version"], visitor::CONSENT);
    assert_eq!(form.get("agent"), None);
    let fields = form["fields"].as_array().unwrap();
    assert_eq!((&fields[0]["name"], &fields[0]["label"]), (&json!("name"), &json!("Ihr Name")));
    let reasons: Vec<_> =
        fields[3]["options"].as_array().unwrap().iter().map(|reason| &reason["id"]).collect();
    assert_eq!(reasons, ["billing", "orders", "else"]);
    assert!(!form.to_string().contains(organization::BILLING_ENTRY_POINT));
    let arabic = house.get("/v1/sites/acme/form?locale=ar-AE").await.ok();
    assert_eq!((&arabic["locale"], &arabic["direction"]), (&json!("ar"), &json!("rtl")));
    let preferred = house.get("/v1/sites/acme/form?locale=zh-TW,pt-PT,de").await.ok();
    assert_eq!(preferred["locale"], "pt-BR");
    // A language that nobody has translated to is answered in the site's own.
    assert_eq!(house.get("/v1/sites/acme/form?locale=xx").await.ok()["locale"], "en");
}

#[tokio::test]
async fn the_form_has_the_operators_own_words_and_look() {
    let house = House::with(|plan| {
        let words = |text: &str| Table::from_iter([("form.title".to_owned(), toml::Value::from(text))]);
        plan.set("sites.acme.texts.de", words("Unsere Bergführer rufen Sie an"));
        plan.set("sites.acme.texts.all", words("Acme"));
        plan.set("sites.acme.theme.preset", "bold");
        plan.set("sites.acme.theme.color", "#ffcc00");
    })
    .await;
    let title = async |locale: &str| {
        let form = house.get(&format!("/v1/sites/acme/form?locale={locale}")).await.ok();
        form["texts"]["form.title"].as_str().unwrap_or_default().to_owned()
    };
    assert_eq!(title("de").await, "Unsere Bergführer rufen Sie an");
    assert_eq!(title("ja").await, "Acme");
    let theme = house.get("/v1/sites/acme/form").await.ok()["theme"].clone();
    assert_eq!(theme["preset"], "bold");
    assert!(theme["style"].as_str().unwrap().starts_with("--c0:#ffcc00;--o0:#000000;"), "{theme}");
    // The page's own colour goes before; what is no colour is nothing.
    let asked = house.get("/v1/sites/acme/form?color=%23003366").await.ok()["theme"]["style"].clone();
    assert!(asked.as_str().unwrap().starts_with("--c0:#003366;--o0:#ffffff;"), "{asked}");
    let nonsense = house.get("/v1/sites/acme/form?color=red%7D").await.ok()["theme"]["style"].clone();
    assert_eq!(nonsense, theme["style"]);
}

#[tokio::test]
async fn what_the_live_view_says_comes_by_itself_and_in_the_operators_words_too() {
    let house = House::with(|plan| {
        let words =
            Table::from_iter([("state.queued".to_owned(), toml::Value::from("Gleich sind Sie dran"))]);
        plan.set("sites.acme.texts.de", words);
    })
    .await;
    let form = house.get("/v1/sites/acme/form?locale=de").await.ok();
    let path = "/v1/sites/acme/texts";
    let live = house.get(&format!("{path}?locale=de-AT,en")).await.ok();
    assert_eq!(live["locale"], "de");
    assert_eq!(live["texts"]["state.queued"], "Gleich sind Sie dran");
    // No text comes twice.
    let (form, live) = (form["texts"].as_object().unwrap(), live["texts"].as_object().unwrap());
    assert!(form.contains_key("state.accepted"));
    assert!(!live.is_empty() && live.keys().all(|key| !form.contains_key(key)), "{live:?}");
    // As for the form: in the site's language, to pages of the site.
    assert_eq!(house.get(&format!("{path}?locale=xx")).await.ok()["locale"], "en");
    let elsewhere = house.request(Method::GET, path).header("Origin", "https://evil.example");
    house.send(elsewhere).await.problem(Kind::OriginNotAllowed);
    house.get(&format!("{path}?language=de")).await.problem(Kind::BadRequest);
    house.get("/v1/sites/nobody/texts").await.problem(Kind::SiteUnknown);
}

#[tokio::test]
async fn an_api_key_opens_the_rest_door_whatever_the_case_of_its_scheme() {
    let house = House::open().await;
    let request = house
        .request(Method::POST, "/v1/callbacks")
        .header("Authorization", format!("bEARER {API_KEY}"))
        .json(&visitor::crm_request());
    house.send(request).await.accepted();
}
