//! What is erased, and what is not.

use futures_util::future::join_all;
use secrecy::ExposeSecret as _;
use sqlx::{AssertSqlSafe, ConnectOptions as _, Row as _};

use super::{Fresh, key, now};
use crate::callback::{Callback, Failure, State, sample};
use crate::clock::after_s;
use crate::personal::Personal;
use crate::store::listing::Wanted;
use crate::store::retention::WITH_IT;
use crate::store::{Attempt, CREATE_TASK};

pub(super) async fn only_what_has_ended_is_erased_and_all_that_tells_who_it_was(fresh: Fresh) {
    let store = &fresh.store;
    let mut ended = sample::callback(now());
    ended.request.attributes = [("order".to_owned(), Personal::new("4711"))].into();
    ended.request.reference = Some("CASE-1".to_owned());
    let waiting = sample::callback(now());
    store.insert(&ended, Some(&key("ended", 1)), None, None).await.unwrap();
    store.insert(&waiting, Some(&key("waiting", 2)), None, None).await.unwrap();
    let mut next = ended.moved_to(State::Cancelled, after_s(now(), 10)).unwrap();
    next.failure = Some((Failure::Refused, "a text that may repeat what was sent".to_owned()));
    let attempt = Attempt {
        operation: CREATE_TASK,
        begun_at: now(),
        took_ms: 5,
        status: Some(400),
        tracking_id: "RINGBACK_1".to_owned(),
        outcome: "a text that may repeat what was sent".to_owned(),
    };
    assert!(store.update(&next, Some(&attempt)).await.unwrap());
    let at = after_s(now(), 1000);
    // Not before its time, and then once.
    assert_eq!(store.erase_ended(after_s(now(), 10), at, 10).await.unwrap(), 0);
    assert_eq!(store.erase_ended(after_s(now(), 11), at, 10).await.unwrap(), 1);
    assert_eq!(store.erase_ended(after_s(now(), 11), at, 10).await.unwrap(), 0);
    assert!(!store.erase(ended.id, at).await.unwrap() && !store.erase(waiting.id, at).await.unwrap());
    let erased = store.get(ended.id).await.unwrap().unwrap();
    assert_eq!(erased.erased_at, Some(at));
    assert_eq!(erased.request.phone.e164(), "+0000");
    let texts = [&erased.request.name, &erased.request.email, &erased.request.message];
    assert!(texts.iter().all(|text| text.reveal().is_empty()) && erased.request.page.is_empty());
    assert!(
        erased.request.attributes.is_empty()
            && erased.request.fields.is_empty()
            && erased.request.agent.is_none()
    );
    assert_eq!(erased.request.reference, None);
    assert_eq!(erased.failure, Some((Failure::Refused, String::new())));
    assert_eq!((erased.state, erased.updated_at), (State::Cancelled, after_s(now(), 10)));
    let attempts = store.attempts(ended.id).await.unwrap();
    assert_eq!(attempts, [Attempt { outcome: String::new(), ..attempt }]);
    // Its key is as new, and the other's is not.
    assert_eq!(store.inserted_with(&key("ended", 1)).await.unwrap(), None);
    assert!(store.inserted_with(&key("waiting", 2)).await.unwrap().is_some());
    assert_eq!(store.get(waiting.id).await.unwrap().as_ref(), Some(&waiting));
    assert_eq!(store.of_phone(&waiting.request.phone).await.unwrap(), [waiting]);
    assert_eq!(store.list(&Wanted { limit: 10, ..Wanted::default() }).await.unwrap().len(), 2);
}

pub(super) async fn what_nobody_asks_about_any_more_is_erased_as_what_has_ended(fresh: Fresh) {
    let store = &fresh.store;
    let callback = sample::callback(now());
    store.insert(&callback, None, None, None).await.unwrap();
    let sending = callback.moved_to(State::Sending, after_s(now(), 1)).unwrap();
    let mut requested = sending.moved_to(State::Requested, after_s(now(), 2)).unwrap();
    requested.poll_at = Some(after_s(now(), 20));
    let mut unheard_of = Callback { revision: requested.revision + 1, poll_at: None, ..requested.clone() };
    let later = after_s(now(), 1000);
    let sending = Callback { due_at: Some(later), ..sending };
    for next in [&sending, &requested] {
        assert!(store.update(next, None).await.unwrap());
        assert_eq!(store.erase_ended(later, later, 10).await.unwrap(), 0);
    }
    assert!(store.update(&unheard_of, None).await.unwrap());
    // Its time is counted from when something was heard of it last.
    assert_eq!(store.erase_ended(after_s(now(), 2), later, 10).await.unwrap(), 0);
    assert_eq!(store.erase_ended(after_s(now(), 3), later, 10).await.unwrap(), 1);
    // News that come after all are taken in, and bring nothing of it back.
    unheard_of = store.get(callback.id).await.unwrap().unwrap();
    let queued = unheard_of.moved_to(State::Queued, later).unwrap();
    assert!(store.update(&Callback { poll_at: Some(later), ..queued }, None).await.unwrap());
    let known = store.get(callback.id).await.unwrap().unwrap();
    assert_eq!((known.state, known.request.phone.e164()), (State::Queued, "+0000"));
}

pub(super) async fn many_erase_at_once_and_each_callback_is_erased_once(fresh: Fresh) {
    let callbacks: Vec<Callback> = (0..100).map(|_| sample::callback(now())).collect();
    for callback in &callbacks {
        fresh.store.insert(callback, None, None, None).await.unwrap();
        let next = callback.moved_to(State::Cancelled, now()).unwrap();
        assert!(fresh.store.update(&next, None).await.unwrap());
    }
    let at = after_s(now(), 1000);
    let mut erased = 0;
    while erased < 100 {
        let rounds = (0..4).map(|_| fresh.store.erase_ended(at, at, 7));
        let counts: Vec<u64> = join_all(rounds).await.into_iter().collect::<Result<_, _>>().unwrap();
        assert!(counts.iter().all(|count| *count <= 7));
        erased += counts.iter().sum::<u64>();
    }
    assert_eq!(erased, 100);
    assert_eq!(fresh.store.erase_ended(at, at, 7).await.unwrap(), 0);
}

#[tokio::test]
async fn what_goes_with_an_erased_callback_is_found_by_it_and_not_by_reading_everything() {
    let mut plans = Vec::new();
    let fresh = Fresh::sqlite().await;
    let options = sqlx::sqlite::SqliteConnectOptions::new().filename(&fresh.config.path);
    let mut connection = options.connect().await.unwrap();
    for statement in WITH_IT {
        let explain = sqlx::query(AssertSqlSafe(format!("EXPLAIN QUERY PLAN {statement}"))).bind("id");
        let steps = explain.fetch_all(&mut connection).await.unwrap();
        plans.extend(steps.iter().map(|step| step.get::<String, _>("detail")));
    }
    let fresh = Fresh::postgres().await;
    let options: sqlx::postgres::PgConnectOptions = fresh.config.url.expose_secret().parse().unwrap();
    let mut connection = options.connect().await.unwrap();
    // So little is in there that it would read everything all the same.
    sqlx::query("SET enable_seqscan = off").execute(&mut connection).await.unwrap();
    for statement in WITH_IT {
        let explain = AssertSqlSafe(format!("EXPLAIN {}", statement.replace("$1", "'id'")));
        let steps = sqlx::query_scalar::<_, String>(explain).fetch_all(&mut connection).await.unwrap();
        plans.push(steps.join(" "));
    }
    for plan in plans {
        assert!(!plan.contains("SCAN") && !plan.contains("Seq Scan"), "{plan}");
    }
}
