//! A person wants to be forgotten.

use jiff::Timestamp;

use crate::callback::{Callback, State};
use crate::phone::PhoneNumber;
use crate::store::{Store, StoreError};

/// What became of the callbacks to a number.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Forgotten {
    /// How many were erased.
    pub erased: usize,
    /// Of these, how many were called off first.
    pub called_off: usize,
    /// What could not be erased yet: Webex has it, or may have.
    pub left: Vec<Callback>,
}

/// Calls off what was not sent, and erases everything that has ended. What is with Webex ends first.
pub async fn forget(store: &dyn Store, phone: &PhoneNumber, now: Timestamp) -> Result<Forgotten, StoreError> {
    let mut forgotten = Forgotten::default();
    for callback in store.of_phone(phone).await? {
        let ended = if callback.is_let_go() {
            Some(callback.clone())
        } else {
            called_off(store, &callback, now).await?
        };
        match ended {
            Some(ended) if ended.is_let_go() && store.erase(ended.id, now).await? => {
                forgotten.erased += 1;
                forgotten.called_off += usize::from(!callback.is_let_go());
            }
            ended => forgotten.left.push(ended.unwrap_or(callback)),
        }
    }
    Ok(forgotten)
}

/// Calls off what was not sent, of one site or of all; gives how many.
pub async fn call_off(
    store: &dyn Store,
    phone: &PhoneNumber,
    site: Option<&str>,
    now: Timestamp,
) -> Result<usize, StoreError> {
    let mut count = 0;
    for callback in store.of_phone(phone).await? {
        let is_meant = site.is_none_or(|site| callback.request.site == site);
        if is_meant && !callback.state.is_final() && called_off(store, &callback, now).await?.is_some() {
            count += 1;
        }
    }
    Ok(count)
}

/// The callback after it was called off; `None` where it cannot be. What Webex keeps is on its way to be called off.
async fn called_off(
    store: &dyn Store,
    callback: &Callback,
    now: Timestamp,
) -> Result<Option<Callback>, StoreError> {
    let mut callback = callback.clone();
    loop {
        let Some(next) = callback.called_off(now) else {
            return Ok(Some(callback).filter(|callback| callback.state == State::Cancelling));
        };
        if store.update(&next, None).await? {
            return Ok(Some(next));
        }
        // Another change came first.
        match store.get(callback.id).await? {
            Some(changed) => callback = changed,
            None => return Ok(None),
        }
    }
}
