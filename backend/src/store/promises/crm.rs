//! What every store promises to the REST door.

use futures_util::future::join_all;
use jiff::Timestamp;

use super::{Fresh, key, now};
use crate::api_key::{self, ApiKey};
use crate::callback::{Callback, CallbackId, State, sample};
use crate::clock::after_s;
use crate::personal::Personal;
use crate::site::Answer;
use crate::store::listing::Wanted;
use crate::store::outbox::{Message, MessageAttempt, MessageStatus, Subscriber};

pub(super) async fn what_a_crm_adds_to_the_attributes_is_kept(fresh: Fresh) {
    let mut callback = sample::callback(now());
    let pairs = [("Größe", "42 \"x\""), ("empty", "")];
    callback.request.attributes =
        pairs.map(|(key, value)| (key.to_owned(), Personal::new(value))).into_iter().collect();
    fresh.store.insert(&callback, None, None, None).await.unwrap();
    assert_eq!(fresh.reopened().await.store.get(callback.id).await.unwrap(), Some(callback));
}

pub(super) async fn what_stands_in_fields_of_the_operators_own_is_kept(fresh: Fresh) {
    let mut callback = sample::callback(now());
    let text = |text: &str| Answer::Text(Personal::new(text));
    let answers = [("größe", text("42 \"x\"")), ("member", Answer::Checked(false)), ("word", text("true"))];
    callback.request.fields = answers.map(|(id, answer)| (id.to_owned(), answer)).into();
    fresh.store.insert(&callback, None, None, None).await.unwrap();
    assert_eq!(fresh.reopened().await.store.get(callback.id).await.unwrap(), Some(callback));
}

pub(super) async fn an_api_key_is_kept_found_and_taken_back_once(fresh: Fresh) {
    let (key, _) = ApiKey::generate(api_key::sample::terms(), now()).unwrap();
    let terms = api_key::Terms {
        sites: Vec::new(),
        expires_at: Some(after_s(now(), 60)),
        ..api_key::sample::terms()
    };
    let (other, _) = ApiKey::generate(terms, after_s(now(), 1)).unwrap();
    fresh.store.add_api_key(&key).await.unwrap();
    fresh.store.add_api_key(&other).await.unwrap();
    let fresh = fresh.reopened().await;
    assert_eq!(fresh.store.api_key(&key.id).await.unwrap().as_ref(), Some(&key));
    assert_eq!(fresh.store.api_key("0").await.unwrap(), None);
    assert_eq!(fresh.store.api_keys().await.unwrap(), [key.clone(), other.clone()]);
    // Uses may be told out of order.
    for second in [5, 9, 7] {
        fresh.store.note_use(&key.id, after_s(now(), second)).await.unwrap();
    }
    assert!(fresh.store.revoke_api_key(&key.id, after_s(now(), 10)).await.unwrap());
    assert!(!fresh.store.revoke_api_key(&key.id, after_s(now(), 11)).await.unwrap());
    assert!(!fresh.store.revoke_api_key("0", now()).await.unwrap());
    let expected =
        ApiKey { revoked_at: Some(after_s(now(), 10)), last_used_at: Some(after_s(now(), 9)), ..key };
    assert_eq!(fresh.store.api_keys().await.unwrap(), [expected, other]);
}

pub(super) async fn pages_repeat_nothing_and_leave_nothing_out_while_more_comes_in(fresh: Fresh) {
    let mut expected = Vec::new();
    for second in 0..25 {
        let callback = sample::callback(after_s(now(), second));
        fresh.store.insert(&callback, None, None, None).await.unwrap();
        expected.insert(0, callback.id);
    }
    let mut seen: Vec<CallbackId> = Vec::new();
    loop {
        let wanted = Wanted { before: seen.last().copied(), limit: 4, ..Wanted::default() };
        let page = fresh.store.list(&wanted).await.unwrap();
        seen.extend(page.iter().map(|callback| callback.id));
        if page.len() < 4 {
            break;
        }
        fresh.store.insert(&sample::callback(after_s(now(), 100)), None, None, None).await.unwrap();
    }
    assert_eq!(seen, expected);
}

pub(super) async fn a_list_holds_what_is_wanted_alone(fresh: Fresh) {
    let mut callbacks = Vec::new();
    for (second, site) in [(0, "acme"), (1, "other"), (2, "third"), (3, "acme")] {
        let mut callback = sample::callback(after_s(now(), second));
        callback.request.site = site.to_owned();
        fresh.store.insert(&callback, None, None, None).await.unwrap();
        callbacks.push(callback);
    }
    callbacks[3] = callbacks[3].moved_to(State::Cancelled, after_s(now(), 4)).unwrap();
    fresh.store.update(&callbacks[3], None).await.unwrap();
    let all = Wanted { limit: 10, ..Wanted::default() };
    let sites = |sites: &[&str]| Some(sites.iter().map(|site| (*site).to_owned()).collect());
    for (wanted, expected) in [
        (all.clone(), &[3, 2, 1, 0][..]),
        (Wanted { sites: sites(&["acme", "other"]), ..all.clone() }, &[3, 1, 0]),
        (Wanted { sites: sites(&["nobody"]), ..all.clone() }, &[]),
        (Wanted { sites: sites(&[]), ..all.clone() }, &[]),
        (Wanted { state: Some(State::Cancelled), ..all.clone() }, &[3]),
        (Wanted { since: Some(after_s(now(), 2)), ..all.clone() }, &[3, 2]),
        (Wanted { sites: sites(&["acme"]), state: Some(State::Accepted), ..all.clone() }, &[0]),
        (Wanted { limit: 2, ..all.clone() }, &[3, 2]),
    ] {
        let found = fresh.store.list(&wanted).await.unwrap();
        let expected: Vec<_> = expected.iter().map(|index| callbacks[*index].clone()).collect();
        assert_eq!(found, expected, "{wanted:?}");
    }
}

pub(super) async fn each_change_of_state_writes_its_message_for_who_wants_it(fresh: Fresh) {
    let before = sample::callback(now());
    fresh.store.insert(&before, None, None, None).await.unwrap();
    let subscriber = |webhook: &str, sites: &[&str], states: &[State]| Subscriber {
        webhook: webhook.to_owned(),
        sites: sites.iter().map(|site| (*site).to_owned()).collect(),
        states: states.to_vec(),
    };
    fresh.store.subscribe(vec![
        subscriber("all", &[], &[]),
        subscriber("of-acme", &["acme"], &[State::Accepted, State::Expired]),
        subscriber("of-other", &["other"], &[]),
    ]);
    let mut callback = sample::callback(now());
    callback.request.reference = Some("case-7".to_owned());
    let key = key("a", 1);
    fresh.store.insert(&callback, Some(&key), None, None).await.unwrap();
    // Neither a repetition, nor a change that came too late, nor one that leaves the state is news.
    fresh.store.insert(&sample::callback(now()), Some(&key), None, None).await.unwrap();
    let sending = callback.moved_to(State::Sending, after_s(now(), 1)).unwrap();
    assert!(fresh.store.update(&sending, None).await.unwrap());
    assert!(!fresh.store.update(&sending, None).await.unwrap());
    let mut touched = sending.clone();
    touched.revision += 1;
    assert!(fresh.store.update(&touched, None).await.unwrap());
    let step = |callback: &Callback| callback.moved_to(State::Expired, after_s(now(), 2)).ok();
    assert_eq!(fresh.store.take_due(now(), 10, &step).await.unwrap().len(), 1);
    let mut messages = fresh.store.messages(None, 100).await.unwrap();
    messages.sort_by_key(|message| (message.created_at, message.webhook.clone()));
    let seen: Vec<_> =
        messages.iter().map(|message| (message.webhook.as_str(), message.callback_id)).collect();
    let expected = [
        ("all", callback.id),
        ("of-acme", callback.id),
        ("all", callback.id),
        ("all", before.id),
        ("of-acme", before.id),
    ];
    assert_eq!(seen, expected);
    assert_eq!(messages[2].id, format!("msg_{}_1", callback.id));
    let body: serde_json::Value = serde_json::from_str(&messages[2].body).unwrap();
    assert_eq!((&body["type"], &body["data"]["revision"]), (&"callback.sending".into(), &1.into()));
    assert_eq!(body["data"]["reference"], "case-7");
    for private in
        [callback.request.phone.e164(), callback.request.name.reveal(), callback.request.email.reveal()]
    {
        assert!(!messages[2].body.contains(private));
    }
}

pub(super) async fn messages_are_taken_once_settled_once_and_tried_again(fresh: Fresh) {
    fresh.store.subscribe(vec![Subscriber {
        webhook: "crm".to_owned(),
        sites: Vec::new(),
        states: Vec::new(),
    }]);
    for _ in 0..50 {
        fresh.store.insert(&sample::callback(now()), None, None, None).await.unwrap();
    }
    let lease = after_s(now(), 10);
    let mut taken = Vec::new();
    while taken.len() < 50 {
        let rounds = (0..4).map(|_| fresh.store.take_messages(now(), lease, 7));
        taken.extend(join_all(rounds).await.into_iter().flat_map(Result::unwrap));
    }
    let distinct: std::collections::HashSet<_> = taken.iter().map(|message| message.id.clone()).collect();
    assert_eq!((distinct.len(), taken.len()), (50, 50));
    assert!(taken.iter().all(|message| message.attempts == 1 && message.due_at == Some(lease)));
    let fresh = fresh.reopened().await;
    assert_eq!(fresh.store.next_message().await.unwrap(), Some(lease));
    let attempt = |said: &str| MessageAttempt {
        begun_at: now(),
        took_ms: 3,
        status: Some(500),
        outcome: said.to_owned(),
    };
    // The lease of the first has run out, and another has it.
    let again = fresh.store.take_messages(lease, after_s(lease, 10), 1).await.unwrap().remove(0);
    let late = taken.into_iter().find(|message| message.id == again.id).unwrap();
    let done = Message { status: MessageStatus::Delivered, due_at: None, ..late };
    assert!(!fresh.store.settle_message(&done, &attempt("too late")).await.unwrap());
    let parked = Message { status: MessageStatus::Parked, due_at: None, ..again };
    assert!(fresh.store.settle_message(&parked, &attempt("in vain")).await.unwrap());
    assert_eq!(
        fresh.store.messages(Some(MessageStatus::Parked), 9).await.unwrap(),
        std::slice::from_ref(&parked)
    );
    let attempts = fresh.store.message_attempts("crm", &parked.id).await.unwrap();
    assert_eq!(attempts, [attempt("too late"), attempt("in vain")]);
    assert_eq!(fresh.store.retry_messages(Some("other"), None, now()).await.unwrap(), 0);
    assert_eq!(fresh.store.retry_messages(Some("crm"), Some(&parked.id), now()).await.unwrap(), 1);
    let retried = fresh.store.take_messages(now(), lease, 9).await.unwrap().remove(0);
    assert_eq!((&retried.id, retried.attempts), (&parked.id, 3));
    let done = Message { status: MessageStatus::Delivered, due_at: None, ..retried };
    assert!(fresh.store.settle_message(&done, &attempt("well")).await.unwrap());
    assert_eq!(fresh.store.forget_messages(now(), Timestamp::MAX).await.unwrap(), 0);
    assert_eq!(fresh.store.forget_messages(after_s(now(), 1), now()).await.unwrap(), 1);
    assert!(fresh.store.message_attempts("crm", &parked.id).await.unwrap().is_empty());
}
