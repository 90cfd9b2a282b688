//! Callbacks that Webex keeps until their time. Its scheduled callbacks have no idempotency key, and are hidden once their
//! time has come: what is not there was called off, or is being called, and only the time tells which.

use jiff::Timestamp;

use super::preference::Preference;
use super::{CLOCK_SKEW_S, Parts, Settled, reconcile, settle};
use crate::callback::{Callback, Fallback, State};
use crate::clock::{after_s, shifted_s};
use crate::schedule::{Appointment, Window};
use crate::site::Site;
use crate::store;
use crate::webex::client::Told;
use crate::webex::error::WebexError;
use crate::webex::policy::{Operation, Policy};
use crate::webex::schedule::ScheduleRequest;
use crate::webex::search::FoundTask;
use crate::webex::task;

/// Whose callback it is to be at Webex.
enum Assignee {
    /// The next free agent's.
    Anybody,
    /// That one's: the id in Webex's identity service.
    Agent(String),
    /// Webex cannot be told whose.
    Unnamed(String),
    /// One's who takes no calls: why, and a sentence for the operator.
    RuledOut(Fallback, String),
    /// Webex did not say. It can be asked again.
    Unanswered(WebexError),
}

/// Asks Webex to keep a callback until its time.
pub(super) async fn send(
    parts: &Parts,
    callback: &Callback,
    site: &Site,
    appointment: &Appointment,
) -> Settled {
    let begun_at = parts.clock.now();
    let Some(offer) = &site.schedule else {
        // The operator has taken it out since. What was promised stays promised.
        return settle::kept_by_us(callback, begun_at).map(|next| (next, None));
    };
    let assignee = match parts.assignee(callback, site).await {
        Assignee::Anybody => None,
        Assignee::Agent(id) => Some(id),
        Assignee::Unnamed(why) => {
            tracing::warn!(callback = %callback.id, why, "Webex cannot keep it for its agent; we do");
            return settle::kept_by_us(callback, begun_at).map(|next| (next, None));
        }
        Assignee::RuledOut(reason, detail) => {
            return settle::without_agent(callback, parts.clock.now(), site.falls_back(), reason, detail)
                .map(|next| (next, None));
        }
        Assignee::Unanswered(error) => {
            let attempt = parts.failed_attempt(store::FIND_AGENT, begun_at, &error);
            return settle::not_sent(callback, parts.clock.now(), &parts.config, error.retry_after)
                .map(|next| (next, Some(attempt)));
        }
    };
    let request = request(callback, &appointment.window, site, offer, assignee);
    parts.circuit.begins();
    let answer = tokio::select! {
        answer = parts.webex.create_schedule(&request) => answer,
        () = parts.wait_until(callback.due_at) => Err(WebexError::late(Operation::CreateScheduledCallback)),
    };
    let now = parts.clock.now();
    parts.circuit.ends(
        answer.as_ref().map_or_else(|error| error.status.is_some_and(|status| status < 500), |_| true),
        now,
    );
    let attempt = match &answer {
        Ok(kept) => {
            parts.attempt(store::CREATE_SCHEDULE, begun_at, Some(201), &kept.tracking_id, "scheduled")
        }
        Err(error) => parts.failed_attempt(store::CREATE_SCHEDULE, begun_at, error),
    };
    let next = match answer {
        Ok(kept) => settle::kept_by_webex(callback, now, &parts.config, kept.id),
        // Refused for good, so Webex has nothing; whoever was told a time is called all the same.
        Err(error) if error.policy == Policy::GiveUp => {
            tracing::warn!(callback = %callback.id, %error, "Webex does not keep it; we do");
            settle::kept_by_us(callback, now)
        }
        Err(error) => settle::after_error(callback, now, &parts.config, error),
    };
    next.map(|next| (next, Some(attempt)))
}

fn request(
    callback: &Callback,
    window: &Window,
    site: &Site,
    offer: &crate::schedule::Offer,
    assignee: Option<String>,
) -> ScheduleRequest {
    let queue = site.reason(&callback.request.reason).map_or("", |reason| reason.queue.as_str());
    let reason = task::filled(&offer.callback_reason, callback, site, None);
    ScheduleRequest::new(callback, window, offer, queue, reason, assignee)
}

impl Parts {
    /// Whose callback it is to be at Webex. Asks no longer than the lease lasts.
    async fn assignee(&self, callback: &Callback, site: &Site) -> Assignee {
        let agent = match self.preference(callback, site).await {
            Preference::NextFree => return Assignee::Anybody,
            Preference::RuledOut(reason, detail) => return Assignee::RuledOut(reason, detail),
            Preference::Unanswered(error) => return Assignee::Unanswered(error),
            Preference::Agent(agent) => agent,
        };
        if agent.email.is_empty() {
            return Assignee::Unnamed("the agent has no e-mail address to look up".to_owned());
        }
        let answer = tokio::select! {
            answer = self.directory.find(&agent.email) => answer,
            () = self.wait_until(callback.due_at) => Err(WebexError::late(Operation::ReadConfiguration)),
        };
        match answer {
            Ok(Some(user)) if !user.is_agent() => {
                let detail = "the user is not active in the contact centre".to_owned();
                Assignee::RuledOut(Fallback::AgentInactive, detail)
            }
            Ok(Some(user)) => user.ci_user_id.map_or_else(
                || Assignee::Unnamed("Webex does not tell the agent's identity".to_owned()),
                Assignee::Agent,
            ),
            Ok(None) => {
                let detail = "no user of Webex has this e-mail address".to_owned();
                Assignee::RuledOut(Fallback::AgentUnknown, detail)
            }
            Err(error) if error.policy == Policy::GiveUp => Assignee::Unnamed(error.message),
            Err(error) => Assignee::Unanswered(error),
        }
    }
}

/// Looks for the scheduled callback of a request whose answer was lost.
pub(super) async fn look_up(parts: &Parts, callback: &Callback, appointment: &Appointment) -> Settled {
    let begun_at = parts.clock.now();
    let sent_at = callback.sent_at.unwrap_or(callback.created_at);
    let site = parts.sites.get(&callback.request.site);
    let Some((site, offer)) = site.and_then(|site| Some((site, site.schedule.as_ref()?))) else {
        tracing::warn!(callback = %callback.id, "cannot be looked up: its site offers no times any more");
        return reconcile::later(&parts.config, callback, begun_at).map(|next| (next, None));
    };
    if begun_at >= shifted_s(appointment.window.starts_at(), -CLOCK_SKEW_S) {
        // Webex hides it now, if it has it.
        return find_task(parts, callback, appointment).await;
    }
    let answer = parts.webex.schedules_of(&callback.request.phone).await;
    let now = parts.clock.now();
    let Told { answer: found, tracking_id } = match answer {
        Ok(told) => told,
        Err(error) => {
            tracing::warn!(callback = %callback.id, %error, "cannot be looked up");
            let attempt = parts.failed_attempt(store::FIND_SCHEDULE, begun_at, &error);
            return reconcile::later(&parts.config, callback, now).map(|next| (next, Some(attempt)));
        }
    };
    let wanted = request(callback, &appointment.window, site, offer, None);
    let mut candidates = Vec::new();
    for schedule in found.into_iter().filter(|schedule| wanted.is_met_by(schedule)) {
        match parts.store.of_schedule(&schedule.id).await {
            Ok(owner) if owner.is_none_or(|owner| owner == callback.id) => candidates.push(schedule.id),
            Ok(_) => {}
            Err(error) => {
                tracing::error!(callback = %callback.id, %error, "cannot be looked up");
                return reconcile::later(&parts.config, callback, now).map(|next| (next, None));
            }
        }
    }
    let grace_is_over = now >= after_s(sent_at, parts.config.search_grace_s);
    let trouble = parts.webex.clock_trouble();
    let (next, outcome) = match candidates.as_slice() {
        [id] => (settle::kept_by_webex(callback, now, &parts.config, id.clone()), "found".to_owned()),
        [] if grace_is_over && trouble.is_none() => (reconcile::again(callback, now), "absent".to_owned()),
        [] => (reconcile::later(&parts.config, callback, now), "not found yet".to_owned()),
        several => {
            let outcome = format!("{} scheduled callbacks may be its own; held", several.len());
            (reconcile::later(&parts.config, callback, now), outcome)
        }
    };
    let attempt = parts.attempt(store::FIND_SCHEDULE, begun_at, Some(200), &tracking_id, &outcome);
    next.map(|next| (next, Some(attempt)))
}

/// Looks whether Webex still keeps a callback, and follows it when its time has come.
pub(super) async fn look_at(parts: &Parts, callback: &Callback, appointment: &Appointment) -> Settled {
    let begun_at = parts.clock.now();
    let Some(id) = &appointment.webex_id else {
        return settle::kept_by_us(callback, begun_at).map(|next| (next, None));
    };
    let answer = parts.webex.schedule(id).await;
    let now = parts.clock.now();
    match answer {
        Ok(None) => find_task(parts, callback, appointment).await,
        Ok(Some(found)) => {
            // Agents can move it too.
            let moved_to = found.window().filter(|window| *window != appointment.window);
            if let Some(window) = &moved_to {
                tracing::info!(callback = %callback.id, window = window.as_text(), "was moved at Webex");
            }
            let window = moved_to.unwrap_or_else(|| appointment.window.clone());
            settle::still_kept(callback, now, &parts.config, window).map(|next| (next, None))
        }
        Err(error) => {
            let attempt = parts.failed_attempt(store::READ_SCHEDULE, begun_at, &error);
            settle::still_kept(callback, now, &parts.config, appointment.window.clone())
                .map(|next| (next, Some(attempt)))
        }
    }
}

/// Moves a scheduled callback to the window that is wanted.
pub(super) async fn change(parts: &Parts, callback: &Callback, appointment: &Appointment) -> Settled {
    let begun_at = parts.clock.now();
    let (Some(id), Some(wanted)) = (&appointment.webex_id, &appointment.wanted) else {
        return settle::still_kept(callback, begun_at, &parts.config, appointment.window.clone())
            .map(|next| (next, None));
    };
    // What agents have changed about it stays as it is: only the window is replaced. Both calls may be repeated.
    let answer = match parts.webex.schedule(id).await {
        Ok(Some(found)) => parts.webex.change_schedule(id, &ScheduleRequest::moved(found, wanted)).await,
        Ok(None) => return find_task(parts, callback, appointment).await,
        Err(error) => Err(error),
    };
    let now = parts.clock.now();
    let error = match answer {
        Ok(Told { answer: true, tracking_id }) => {
            let attempt = parts.attempt(store::CHANGE_SCHEDULE, begun_at, Some(200), &tracking_id, "changed");
            return settle::still_kept(callback, now, &parts.config, wanted.clone())
                .map(|next| (next, Some(attempt)));
        }
        Ok(Told { answer: false, .. }) => return find_task(parts, callback, appointment).await,
        Err(error) => error,
    };
    let attempt = parts.failed_attempt(store::CHANGE_SCHEDULE, begun_at, &error);
    let next = if error.policy == Policy::GiveUp {
        tracing::warn!(callback = %callback.id, %error, "Webex does not move it: its window stays");
        settle::still_kept(callback, now, &parts.config, appointment.window.clone())
    } else {
        Some(settle::repeated(callback, now, &parts.config, error.retry_after))
    };
    next.map(|next| (next, Some(attempt)))
}

/// Calls a scheduled callback off. Repeating a `DELETE` whose answer was lost is the look-up at once.
pub(super) async fn call_off(parts: &Parts, callback: &Callback, appointment: &Appointment) -> Settled {
    let begun_at = parts.clock.now();
    let Some(id) = &appointment.webex_id else {
        return settle::moved(callback, State::Cancelled, begun_at).map(|next| (next, None));
    };
    let answer = parts.webex.delete_schedule(id).await;
    let now = parts.clock.now();
    let error = match answer {
        Ok(Told { answer: true, tracking_id }) => {
            let attempt =
                parts.attempt(store::DELETE_SCHEDULE, begun_at, Some(204), &tracking_id, "called off");
            return settle::moved(callback, State::Cancelled, now).map(|next| (next, Some(attempt)));
        }
        Ok(Told { answer: false, .. }) => return find_task(parts, callback, appointment).await,
        Err(error) => error,
    };
    let attempt = parts.failed_attempt(store::DELETE_SCHEDULE, begun_at, &error);
    let next = if error.policy == Policy::GiveUp {
        tracing::warn!(callback = %callback.id, %error, "Webex does not call it off");
        settle::still_kept(callback, now, &parts.config, appointment.window.clone())
    } else {
        Some(settle::repeated(callback, now, &parts.config, error.retry_after))
    };
    next.map(|next| (next, Some(attempt)))
}

/// Webex does not show it: finds the task that its time has made of it, or that there can be none.
async fn find_task(parts: &Parts, callback: &Callback, appointment: &Appointment) -> Settled {
    let begun_at = parts.clock.now();
    let starts_at = appointment.earliest_start();
    let has_begun = begun_at >= shifted_s(starts_at, -CLOCK_SKEW_S);
    // Before its time only something that is ours and newer than the appointment could be it.
    let since = if has_begun { starts_at } else { callback.sent_at.unwrap_or(callback.created_at) };
    let since = shifted_s(since, -CLOCK_SKEW_S).min(begun_at);
    let answer = parts.tasks_since(callback, since).await;
    let now = parts.clock.now();
    let Told { answer: found, tracking_id } = match answer {
        Ok(told) => told,
        Err(error) => {
            tracing::warn!(callback = %callback.id, %error, "its task cannot be looked for");
            let attempt = parts.failed_attempt(store::SEARCH_TASK, begun_at, &error);
            // Whether it was called off is not known either.
            return settle::not_shown(callback, now, &parts.config, true).map(|next| (next, Some(attempt)));
        }
    };
    let found = match reconcile::not_of_others(parts, callback, found).await {
        Ok(found) => found,
        Err(error) => {
            tracing::error!(callback = %callback.id, %error, "its task cannot be looked for");
            return settle::not_shown(callback, now, &parts.config, true).map(|next| (next, None));
        }
    };
    let (next, outcome) = judge(parts, callback, now, since, has_begun, &found);
    let attempt = parts.attempt(store::SEARCH_TASK, begun_at, Some(200), &tracking_id, &outcome);
    // What was found is kept; that it was not found once more is not.
    next.map(|next| {
        let news = next.state != callback.state || callback.state == State::Unconfirmed;
        (next, Some(attempt).filter(|_| news))
    })
}

fn judge(
    parts: &Parts,
    callback: &Callback,
    now: Timestamp,
    since: Timestamp,
    has_begun: bool,
    found: &[FoundTask],
) -> (Option<Callback>, String) {
    // Tasks with a reference are those that we have asked for ourselves.
    let candidates: Vec<_> =
        found.iter().filter(|task| task.reference.is_none() && task.created_at >= since).collect();
    match candidates.as_slice() {
        [task] => (settle::task_of_webex(callback, now, &parts.config, task), "found".to_owned()),
        [] => (settle::not_shown(callback, now, &parts.config, has_begun), "absent".to_owned()),
        several => {
            let outcome = format!("{} tasks may be its own", several.len());
            (settle::not_shown(callback, now, &parts.config, true), outcome)
        }
    }
}

impl Parts {
    /// The tasks to the callback's number since then: by search, and without the right to search by the list of tasks.
    async fn tasks_since(
        &self,
        callback: &Callback,
        since: Timestamp,
    ) -> Result<Told<Vec<FoundTask>>, WebexError> {
        let site = self.sites.get(&callback.request.site);
        let variable = site.map_or("", |site| site.reference_variable.as_str());
        let phone = &callback.request.phone;
        let now = self.clock.now();
        let searched = self.webex.tasks_to(phone, since, shifted_s(now, CLOCK_SKEW_S), variable).await;
        match searched {
            Err(error) => {
                tracing::debug!(callback = %callback.id, %error, "the search does not work; asking for the list");
                self.webex.listed_tasks_to(phone, since, now).await
            }
            found => found,
        }
    }
}
