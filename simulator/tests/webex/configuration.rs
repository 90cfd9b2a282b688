use reqwest::Method;
use serde_json::{Value, json};
use webex_simulator::organization::{
    ANI_LIST, BILLING_QUEUE, CALLBACK_ENTRY_POINT, DEFAULT_ANI, FLOW_ENTRY_POINT, GRACE_CI_USER_ID,
    GRACE_EMAIL, GRACE_ID, ORG_ID, SUPPORT_QUEUE, TOKEN_WITHOUT_READ,
};

use crate::house::{House, send};

fn path(rest: &str) -> String {
    format!("/organization/{ORG_ID}/{rest}")
}

async fn filtered(house: &House, resource: &str, filter: &str) -> Vec<Value> {
    let request = house.request(Method::GET, &path(&format!("v2/{resource}"))).query(&[("filter", filter)]);
    let answer = send(request).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    answer.body["data"].as_array().unwrap().clone()
}

#[tokio::test]
async fn entry_points_are_listed_in_both_styles_and_read_by_id() {
    let house = House::still().await;
    let page = house.get(&path("v2/entry-point")).await.body;
    assert_eq!(page["meta"]["totalRecords"], 7);
    assert_eq!(house.get(&path("entry-point")).await.body, page["data"], "the old style is a bare array");
    let one = house.get(&path(&format!("entry-point/{CALLBACK_ENTRY_POINT}"))).await.body;
    assert_eq!(
        (&one["entryPointType"], &one["active"], &one["callbackEnabled"], &one["outdialQueueId"]),
        (&json!("OUTBOUND"), &json!(true), &json!(true), &json!(SUPPORT_QUEUE))
    );
    let flow = house.get(&path(&format!("entry-point/{FLOW_ENTRY_POINT}"))).await.body;
    assert_eq!(flow["entryPointType"], "INBOUND");
    assert!(flow["flowId"].is_string());
}

#[tokio::test]
async fn a_list_has_pages_filters_a_search_and_attributes() {
    let house = House::still().await;
    let second = house.get(&path("v2/entry-point?page=1&pageSize=5")).await.body;
    assert_eq!(second["data"].as_array().unwrap().len(), 2);
    assert_eq!(second["meta"]["totalPages"], 2);
    assert!(second["meta"]["links"]["prev"].is_string());
    assert_eq!(filtered(&house, "entry-point", "entryPointType==INBOUND").await.len(), 2);
    assert_eq!(filtered(&house, "entry-point", "entryPointType==OUTBOUND;active==true").await.len(), 4);
    assert_eq!(filtered(&house, "entry-point", "name=in=(\"Outdial\",'Unused Line')").await.len(), 2);
    assert_eq!(filtered(&house, "contact-service-queue", "id!=x").await.len(), 2);
    let found = house.get(&path("v2/entry-point?search=billing&attributes=name")).await.body;
    assert_eq!(found["data"], json!([{ "name": "Billing Callback" }]));
    house.get(&path("v2/entry-point?filter=colour%3D%3Dred")).await.is_refused(400, "colour");
    house.get(&path("v2/entry-point?filter=name")).await.is_refused(400, "malformed");
    house.get(&path("v2/entry-point?pageSize=0")).await.is_refused(400, "pageSize");
}

#[tokio::test]
async fn a_user_is_found_by_address_and_by_both_ids() {
    let house = House::still().await;
    for filter in [format!("email=={GRACE_EMAIL}"), format!("email==\"{GRACE_EMAIL}\"")] {
        let found = filtered(&house, "user", &filter).await;
        assert_eq!(found.len(), 1);
        assert_eq!((&found[0]["id"], &found[0]["ciUserId"]), (&json!(GRACE_ID), &json!(GRACE_CI_USER_ID)));
    }
    assert!(filtered(&house, "user", "email==nobody@example.com").await.is_empty());
    let by_id = house.get(&path(&format!("user/{GRACE_ID}"))).await.body;
    let by_ci = house.get(&path(&format!("user/by-ci-user-id/{GRACE_CI_USER_ID}"))).await.body;
    assert_eq!(by_id, by_ci);
    assert_eq!(by_id["firstName"], "Grace");
}

#[tokio::test]
async fn the_anis_stand_in_the_entries_of_their_list() {
    let house = House::still().await;
    let lists = house.get(&path("v2/outdial-ani")).await.body;
    assert_eq!(lists["data"][0]["id"], ANI_LIST);
    for style in ["", "v2/"] {
        let answer = house.get(&path(&format!("{style}outdial-ani/{ANI_LIST}/entry"))).await.body;
        let entries = if style.is_empty() { &answer } else { &answer["data"] };
        assert_eq!(entries.as_array().unwrap().len(), 3);
        assert_eq!(entries[0]["number"], DEFAULT_ANI);
        assert_eq!(entries[0]["defaultANIEntry"], true);
    }
}

#[tokio::test]
async fn variables_say_whether_they_are_reportable() {
    let house = House::still().await;
    let found = filtered(&house, "cad-variable", "name==RingbackRef").await;
    assert_eq!((&found[0]["reportable"], &found[0]["variableType"]), (&json!(true), &json!("String")));
    assert_eq!(filtered(&house, "cad-variable", "name==Email").await[0]["reportable"], false);
}

#[tokio::test]
async fn what_is_not_there_or_not_allowed_is_told_in_the_envelope_of_the_configuration() {
    let house = House::still().await;
    let missing = house.get(&path("entry-point/none")).await;
    missing.is_refused(404, "No such entity");
    assert_eq!(missing.body["error"]["message"][0]["code"], "404");
    assert!(missing.body["error"]["reason"].is_string());
    assert_eq!(house.get(&path("v2/colour")).await.status, 404);
    assert_eq!(house.get("/organization/another/v2/user").await.status, 403);
    let request = house.bare(Method::GET, &path("v2/user")).bearer_auth(TOKEN_WITHOUT_READ);
    send(request).await.is_refused(403, "cjp:config_read");
}

#[tokio::test]
async fn the_wait_is_in_milliseconds_or_there_is_no_content() {
    let house = House::still().await;
    let wait = |queue: &str| format!("/v1/ewt?queueId={queue}&lookbackMinutes=60");
    assert_eq!(house.get(&wait(SUPPORT_QUEUE)).await.body, json!({ "estimatedWaitTime": 73_500.0 }));
    for queue in [BILLING_QUEUE, "unknown"] {
        let answer = house.get(&wait(queue)).await;
        assert_eq!((answer.status, answer.text.as_str()), (204, ""));
    }
    house.control.set_wait(BILLING_QUEUE, Some(1500.5)).await.unwrap();
    assert_eq!(house.get(&wait(BILLING_QUEUE)).await.body["estimatedWaitTime"], 1500.5);
    house.control.set_wait(SUPPORT_QUEUE, None).await.unwrap();
    assert_eq!(house.get(&wait(SUPPORT_QUEUE)).await.status, 204);
    house.get("/v1/ewt?lookbackMinutes=60").await.is_refused(400, "queueId is mandatory");
    house.get("/v1/ewt?queueId=x").await.is_refused(400, "lookbackMinutes is mandatory");
    house.get("/v1/ewt?queueId=x&lookbackMinutes=4").await.is_refused(400, "5 to 240");
    house.get("/v1/ewt?queueId=x&lookbackMinutes=60&maxCV=101").await.is_refused(400, "maxCV");
}
