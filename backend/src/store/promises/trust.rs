//! What tokens are believed by.

use secrecy::ExposeSecret as _;

use super::{Fresh, now};
use crate::agent::Revoked;
use crate::clock::after_s;
use crate::token::SigningKey;

pub(super) async fn keys_are_added_and_retired_and_the_newest_stays(fresh: Fresh) {
    let first = fresh.store.signing_keys(now()).await.unwrap().remove(0);
    assert!(!fresh.store.retire_signing_key(&first.id).await.unwrap());
    let second = SigningKey::generate(after_s(now(), 60)).unwrap();
    fresh.store.add_signing_key(&second).await.unwrap();
    let fresh = fresh.reopened().await;
    let keys = fresh.store.signing_keys(now()).await.unwrap();
    assert_eq!(keys.iter().map(|key| &key.id).collect::<Vec<_>>(), [&second.id, &first.id]);
    assert_eq!(keys[0].secret.expose_secret(), second.secret.expose_secret());
    assert_eq!(keys[0].created_at, second.created_at);
    assert!(!fresh.store.retire_signing_key(&second.id).await.unwrap());
    assert!(!fresh.store.retire_signing_key("none").await.unwrap());
    assert!(fresh.store.retire_signing_key(&first.id).await.unwrap());
    assert_eq!(fresh.store.signing_keys(now()).await.unwrap().len(), 1);
}

pub(super) async fn links_are_taken_back_for_good(fresh: Fresh) {
    let at = |seconds| after_s(now(), seconds);
    for revoked in
        [Revoked::agent("grace", at(10)), Revoked::link("one", at(20)), Revoked::agent("grace", at(5))]
    {
        fresh.store.revoke_links(&revoked).await.unwrap();
    }
    // A clock that went back takes nothing back.
    let expected = [Revoked::agent("grace", at(10)), Revoked::link("one", at(20))];
    assert_eq!(fresh.reopened().await.store.revoked_links().await.unwrap(), expected);
}
