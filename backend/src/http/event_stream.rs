//! One callback, live: server-sent events (WHATWG HTML, section 9.2).

use std::convert::Infallible;
use std::time::Duration;

use actix_web::http::header::CACHE_CONTROL;
use actix_web::web::{self, Bytes};
use actix_web::{HttpRequest, HttpResponse};
use futures_util::stream::{self, Stream};
use ringback_contract::callback::CallbackView;
use ringback_contract::problem::Kind;

use super::caller::Access;
use super::extract::client_address;
use super::follow::view;
use super::problem::Failure;
use super::{Parts, caller};
use crate::api_key::Scope;
use crate::callback::CallbackId;
use crate::guard::followers::{Full, Place};
use crate::guard::rate::network_of;
use crate::store::Subscription;

/// How often a line is sent while nothing changes, so that no proxy takes the connection for dead.
const HEARTBEAT: Duration = Duration::from_secs(15);

/// `GET /v1/callbacks/{id}/events`: the present state at once, each change, and an end after the last.
pub(super) async fn events(
    request: HttpRequest,
    parts: web::Data<Parts>,
    id: web::Path<String>,
) -> Result<HttpResponse, Failure> {
    caller::count(&request, &parts, &parts.read_limit).await?;
    let (callback, access, _) = caller::callback(&request, &parts, &id, Scope::CallbacksRead).await?;
    let network = network_of(client_address(&request, parts.trusted_proxies()));
    let place = parts.followers.take(Some(network)).map_err(|full| {
        let whose = match full {
            Full::Process => "Too many callbacks are followed now",
            Full::Address => "Too many callbacks are followed from this address",
        };
        Failure::new(Kind::FollowersFull, format!("{whose}; read the callback every few seconds."))
    })?;
    // Follow first and read then, so that no change falls between.
    let follower = Follower {
        changed: parts.store.changes().follow(callback.id),
        id: callback.id,
        access,
        sent: None,
        ended: false,
        parts: web::Data::clone(&parts),
        _place: place,
    };
    Ok(HttpResponse::Ok()
        .content_type("text/event-stream")
        .insert_header((CACHE_CONTROL, "no-store"))
        // Proxies of the nginx kind hold answers back unless they are told not to.
        .insert_header(("X-Accel-Buffering", "no"))
        .streaming(follower.stream()))
}

struct Follower {
    changed: Subscription,
    id: CallbackId,
    access: Access,
    sent: Option<CallbackView>,
    ended: bool,
    parts: web::Data<Parts>,
    _place: Place,
}

impl Follower {
    fn stream(self) -> impl Stream<Item = Result<Bytes, Infallible>> {
        stream::unfold(self, |mut follower| async move {
            let text = follower.next().await?;
            Some((Ok(Bytes::from(text)), follower))
        })
    }

    /// The next piece of the stream; `None` at its end.
    async fn next(&mut self) -> Option<String> {
        if self.ended {
            return None;
        }
        loop {
            if self.sent.is_some() {
                tokio::select! {
                    () = self.parts.stop.cancelled() => return None,
                    () = self.changed.changed() => {}
                    () = tokio::time::sleep(HEARTBEAT) => return Some(": still here\n\n".to_owned()),
                }
            }
            let callback = match self.parts.store.get(self.id).await {
                Ok(callback) => callback?,
                Err(error) => {
                    // The follower comes back by itself.
                    tracing::warn!(callback = %self.id, %error, "a follower is sent away");
                    return None;
                }
            };
            let view = view(&callback, self.access, &self.parts);
            let news = self.sent.as_ref().is_none_or(|sent| {
                (sent.state, sent.failure, sent.fell_back, &sent.schedule)
                    != (view.state, view.failure, view.fell_back, &view.schedule)
            });
            if news {
                self.ended = view.state.is_final();
                let data = serde_json::to_string(&view).ok()?;
                let event = format!("event: state\nid: {}\ndata: {data}\n\n", view.revision);
                self.sent = Some(view);
                return Some(event);
            }
        }
    }
}
