//! Where a callback stands, in plain words: the same view as that of `widget/`.

use maud::{Markup, html};
use ringback_contract::callback::{CallbackView, State};
use ringback_contract::steps::{self, STEPS};

use super::posted::SCHEDULE;
use super::{phone, slots};
use crate::locale::Locale;
use crate::schedule::Window;
use crate::site::Site;
use crate::words::Words;

/// The view of one callback.
pub(super) struct FollowView<'a> {
    pub(super) locale: &'a Locale,
    pub(super) seen: &'a CallbackView,
    pub(super) window: Option<&'a Window>,
    pub(super) site: Option<&'a Site>,
    /// The times that it may be moved to.
    pub(super) slots: &'a [Window],
    /// The address of the page.
    pub(super) path: &'a str,
    /// What the next pages of the same visitor must know, as the query of their addresses.
    pub(super) query: &'a str,
    pub(super) refresh_s: Option<u32>,
    /// Whether it has just been asked for.
    pub(super) is_new: bool,
    /// What is said beside its state: the key of a text.
    pub(super) alert: Option<&'a str>,
}

impl FollowView<'_> {
    pub(super) fn title(&self) -> String {
        self.locale.text(&format!("state.{}", self.seen.state.as_str())).to_owned()
    }

    /// Its parts are marked, so that the script of the page can put news in the place of each.
    pub(super) fn draw(&self) -> Markup {
        let state = self.seen.state;
        html! {
            div.follow.ended[state.is_final()].failed[self.has_failed()] data-callback=(self.seen.id)
                data-state=(state.as_str()) data-refresh=[self.refresh_s] data-sent[self.is_new] {
                div.mark aria-hidden="true" { span {} }
                div role="status" data-live="news" { (self.news()) }
                div data-live="steps" { (self.steps()) }
                @if let Some(alert) = self.alert { p.alert role="alert" { (self.locale.text(alert)) } }
                div data-live="actions" { (self.actions()) }
            }
        }
    }

    fn has_failed(&self) -> bool {
        matches!(self.seen.state, State::Failed | State::Expired | State::Untraced)
    }

    fn news(&self) -> Markup {
        let (locale, seen) = (self.locale, self.seen);
        let detail = match seen.failure {
            Some(failure) => format!("failure.{}", failure.as_str()),
            None => format!("state.{}.detail", seen.state.as_str()),
        };
        let waits = steps::step(seen.state).is_some_and(|step| step < 3);
        let words = Words::of(locale.name);
        let agent = match &seen.agent {
            Some(name) if waits => Some(locale.with("follow.agent", name)),
            None if waits && seen.fell_back => Some(locale.text("follow.fell_back").to_owned()),
            _ => None,
        };
        let wait = match (self.window, seen.wait_time_s) {
            (Some(window), _) if waits => {
                let key = if seen.at_opening { "form.closed" } else { "follow.when" };
                Some(locale.with(key, &words.window(window)))
            }
            (_, Some(seconds)) => Some(locale.with("form.wait", &words.wait(seconds))),
            _ => None,
        };
        html! {
            h2 #title tabindex="-1" { (self.title()) }
            @if let Some(agent) = agent { p.agent { (agent) } }
            p.detail { (locale.text(&detail)) }
            @if let Some(wait) = wait { p.detail { (wait) } }
        }
    }

    fn steps(&self) -> Markup {
        html! {
            @if let Some(current) = steps::step(self.seen.state) {
                ol.steps {
                    @for (step, name) in STEPS.into_iter().enumerate() {
                        @let look = steps::look(step, current);
                        li data-step=(look) aria-current=[(look == "now").then_some("step")] {
                            (self.locale.text(&format!("step.{name}")))
                        }
                    }
                }
            }
        }
    }

    /// To another time: opened without script, and done by a button.
    fn moving(&self) -> Markup {
        let locale = self.locale;
        html! {
            details {
                summary #move { (locale.text("follow.move")) }
                @if self.slots.is_empty() {
                    p.detail { (locale.text("slots.none")) }
                } @else {
                    form method="post" action=(self.path) {
                        label for="schedule" { (locale.text("slots.time")) (slots::zone(self.slots)) }
                        select #schedule name=(SCHEDULE) { (slots::options(locale, self.slots, self.window)) }
                        button.quiet #save name="do" value="move" { (locale.text("slots.save")) }
                    }
                }
            }
        }
    }

    fn actions(&self) -> Markup {
        let locale = self.locale;
        let still = if self.path.contains('?') { "&still" } else { "?still" };
        let again = format!("/c/{}{}", self.seen.site, self.query);
        html! {
            @if self.window.is_some() && !self.seen.state.is_final() {
                @let page = self.path.split('?').next().unwrap_or_default();
                a.quiet #calendar href={ (page) "/calendar.ics" } { (locale.text("follow.calendar")) }
            }
            @if self.seen.changeable { (self.moving()) }
            @if self.seen.cancellable {
                form method="post" action=(self.path) {
                    button.quiet #cancel name="do" value="cancel" { (locale.text("follow.cancel")) }
                }
            }
            @if self.seen.state.is_final() {
                @if self.site.is_some() { a.primary #again href=(again) { (locale.text("follow.again")) } }
            } @else {
                // For whoever is disturbed by a page that comes anew by itself (WCAG 2.2, criterion 2.2.1), and for whoever cannot
                // wait for that.
                p.more {
                    a #update href=(self.path) { (locale.text("page.update")) }
                    @if self.refresh_s.is_some() {
                        " " a #still href={ (self.path) (still) } { (locale.text("page.still")) }
                    }
                }
            }
            @if self.has_failed() { (phone(locale, self.site)) }
        }
    }
}
