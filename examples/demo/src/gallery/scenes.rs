//! Every state of the form, and the way to it.

use std::collections::BTreeMap;

use ringback_contract::callback::{CallbackView, Failure, State, Window};
use ringback_contract::field::Code;
use ringback_contract::form::{Agent, ScheduleOffer};
use ringback_contract::problem::Kind;
use ringback_contract::slots::{Slot, Slots};
use ringback_contract::texts::Part;

use super::play::{Call, Lack, Play, Reply, Step, refused, view};

/// One state of the form.
#[derive(Clone, Copy, Debug)]
pub struct Scene {
    /// Its name in addresses.
    pub name: &'static str,
    /// What it shows.
    pub title: &'static str,
    /// Whether the form stands in the page and not above it.
    pub inline: bool,
    way: fn(&mut Play),
}

impl Scene {
    const fn new(name: &'static str, title: &'static str, way: fn(&mut Play)) -> Self {
        Self { name, title, inline: false, way }
    }

    /// The scene of that name.
    pub fn of(name: &str) -> Option<&'static Self> {
        ALL.iter().find(|scene| scene.name == name)
    }

    /// Has it played.
    pub fn play(&self, play: &mut Play) {
        (self.way)(play);
    }
}

/// Every scene, in the order of a visitor's way.
pub const ALL: &[Scene] = &[
    Scene::new("launcher", "The button, before anybody reaches for it", |_| {}),
    Scene::new("launcher-kept", "The button, while a call is on its way", |play| {
        play.keep();
        play.reply(Call::Events, Reply::Stream(vec![view(State::Queued)]));
        play.step(Step::Hear(State::Queued));
    }),
    Scene::new("form", "The form", Play::open),
    Scene { inline: true, ..Scene::new("inline", "The form in the page", |play| play.see("section form")) },
    Scene::new("wait", "How long the wait is", |play| {
        play.form.wait_time_s = Some(290);
        play.open();
    }),
    Scene::new("closed", "Outside business hours", |play| {
        play.form.opens_at = Some("2031-03-04T09:00:00+01:00".to_owned());
        play.open();
    }),
    Scene::new("agent", "For a certain agent", |play| {
        play.form.agent = Some(Agent::Named { name: "Grace Loh".to_owned() });
        play.open();
    }),
    Scene::new("agent-expired", "A link that has run out", |play| {
        play.form.agent = Some(Agent::Expired);
        play.open();
    }),
    Scene::new("times", "A time to choose", |play| {
        offer_times(play);
        play.open();
        play.act("[id=\"form.later\"]");
        play.see(".slots");
    }),
    Scene::new("times-none", "No times are free", |play| {
        offer_times(play);
        let slots = Slots { slots: Vec::new(), ..slots(play) };
        play.reply(Call::Slots, Reply::of(200, &slots));
        play.open();
        play.act("[id=\"form.later\"]");
        play.see("#when-error");
    }),
    Scene::new("times-gone", "Somebody was faster", |play| {
        offer_times(play);
        play.reply(Call::Ask, Reply::problem(&refused("/schedule/start", Code::SlotFull)));
        play.open();
        play.act("[id=\"form.later\"]");
        play.see(".slots");
        play.fill_in();
        play.see("#when-error");
    }),
    Scene::new("errors", "Fields that are not right", |play| {
        play.open();
        play.step(Step::Fill("#phone", "12"));
        play.step(Step::Fill("#email", "ann@"));
        play.step(Step::Press("[data-action=send]"));
        play.see("#phone-error");
        play.see(".ask .alert");
    }),
    Scene::new("number-refused", "A number that the service does not call", |play| {
        play.refuse(&refused("/phone", Code::PhoneNotAllowed));
    }),
    Scene::new("sending", "On its way", |play| {
        play.reply(Call::Ask, Reply::Never);
        play.send();
        play.see("[aria-busy]");
    }),
    Scene::new("offline", "Without a network", |play| {
        play.lacks.push(Lack::Network);
        play.send();
        play.see(".ask .alert");
    }),
    Scene::new("unclear", "No answer came", |play| {
        play.reply(Call::Ask, Reply::Lost);
        play.send();
        play.see("[data-phase=unclear] .alert");
    }),
    Scene::new("service", "The service is down: the site’s own number", |play| {
        play.refuse(&Kind::StoreUnavailable.problem(""));
    }),
    Scene::new("busy", "Asked too often", |play| play.refuse(&Kind::RateLimited.problem(""))),
    Scene::new("refused", "A page that may not ask", |play| {
        play.refuse(&Kind::OriginNotAllowed.problem(""));
    }),
    Scene::new("captcha", "A captcha is to be passed", |play| {
        play.refuse(&Kind::CaptchaRequired.problem(""));
    }),
    Scene::new("accepted-alone", "Accepted, and the live view does not come", |play| {
        play.reply(Call::Texts, Reply::Lost);
        play.accept(&view(State::Accepted), false);
        play.see(".late a");
    }),
    Scene::new("accepted", "Accepted", |play| {
        play.follow(CallbackView { cancellable: true, number_changeable: true, ..view(State::Accepted) });
    }),
    Scene::new("joined", "Asked for twice: one call", |play| {
        play.accept(&view(State::Queued), true);
        play.stand(view(State::Queued));
    }),
    Scene::new("passed-on", "Being passed on", |play| play.follow(view(State::Sending))),
    Scene::new("unconfirmed", "Passed on, and no word of it yet", |play| {
        play.follow(view(State::Unconfirmed));
    }),
    Scene::new("requested", "With the team", |play| play.follow(view(State::Requested))),
    Scene::new("queued", "In the queue", |play| {
        let from = Some("+1 202 555 0180".to_owned());
        play.follow(CallbackView { wait_time_s: Some(290), calls_from: from, ..view(State::Queued) });
    }),
    Scene::new("queued-agent", "In the queue for a certain agent", |play| {
        play.follow(CallbackView { agent: Some("Grace Loh".to_owned()), ..view(State::Queued) });
    }),
    Scene::new("fell-back", "The next free agent instead", |play| {
        play.follow(CallbackView { fell_back: true, ..view(State::Queued) });
    }),
    Scene::new("notify", "A word when it is one’s turn?", |play| {
        play.lacks.push(Lack::Permission);
        play.follow(view(State::Queued));
        play.see("[data-action=notify]");
    }),
    Scene::new("offered", "About to be called", |play| play.follow(view(State::Offered))),
    Scene::new("connected", "Talking", |play| play.follow(view(State::Connected))),
    Scene::new("completed", "The call has ended", |play| play.over(view(State::Completed))),
    Scene::new("not-connected", "Nobody answered", |play| fail(play, Failure::NotConnected)),
    Scene::new("failed-refused", "Refused", |play| fail(play, Failure::Refused)),
    Scene::new("failed-task", "The call could not be set up", |play| fail(play, Failure::TaskFailed)),
    Scene::new("failed-agent", "The agent takes no calls", |play| fail(play, Failure::AgentUnavailable)),
    Scene::new("failed-given-up", "Nobody knows whether it rang", |play| fail(play, Failure::GivenUp)),
    Scene::new("cancelled", "Called off", |play| play.over(view(State::Cancelled))),
    Scene::new("expired", "Too late to ring anybody", |play| play.over(view(State::Expired))),
    Scene::new("untraced", "What became of it is not known", |play| play.over(view(State::Untraced))),
    Scene::new("scheduled", "Booked", |play| play.follow(booked())),
    Scene::new("at-opening", "At the next opening", |play| {
        play.follow(CallbackView { at_opening: true, ..booked() });
    }),
    Scene::new("moving", "Another time", |play| {
        offer_times(play);
        play.follow(booked());
        play.act("[data-action=move]");
        play.see("[data-action=save]");
    }),
    Scene::new("moving-gone", "Another time, and somebody was faster", |play| {
        offer_times(play);
        play.reply(Call::Change, Reply::problem(&refused("/schedule/start", Code::SlotFull)));
        play.follow(booked());
        play.act("[data-action=move]");
        play.act("[data-action=save]");
        play.see("#move-error");
    }),
    Scene::new("rescheduling", "Being moved", |play| {
        play.follow(CallbackView {
            wanted_schedule: Some(window("2031-03-05")),
            changeable: false,
            cancellable: false,
            number_changeable: false,
            ..CallbackView { state: State::Rescheduling, ..booked() }
        });
    }),
    Scene::new("cancelling", "Being called off", |play| {
        play.follow(CallbackView { schedule: Some(window("2031-03-04")), ..view(State::Cancelling) });
    }),
    Scene::new("cancel-late", "Too late to call it off", |play| {
        play.reply(Call::Cancel, Reply::problem(&Kind::NotCancellable.problem("")));
        play.follow(CallbackView { cancellable: true, ..view(State::Accepted) });
        play.act("[data-action=cancel]");
        play.see(".follow .alert");
    }),
    Scene::new("number", "Another number", |play| {
        play.follow(CallbackView { cancellable: true, number_changeable: true, ..view(State::Accepted) });
        play.act("[data-action=number]");
        play.see("#other-phone");
    }),
    Scene::new("number-claimed", "A number that is about to be called already", |play| {
        play.reply(Call::Change, Reply::problem(&Kind::NumberClaimed.problem("")));
        play.follow(CallbackView { cancellable: true, number_changeable: true, ..view(State::Accepted) });
        play.act("[data-action=number]");
        play.see("#other-phone");
        play.step(Step::Fill("#other-phone", "+1 202 555 0177"));
        play.step(Step::Press("[data-action=renumber]"));
        play.see("#other-error");
    }),
    Scene::new("lost", "The connection is interrupted", |play| {
        play.accept(&view(State::Queued), false);
        play.reply(Call::Events, Reply::Lost);
        play.see(".follow .alert");
    }),
    Scene::new("unknown", "Nothing is known of it any more", |play| {
        play.accept(&view(State::Queued), false);
        play.reply(Call::Events, Reply::problem(&Kind::NotFound.problem("")));
        play.see(".follow .alert");
    }),
    Scene::new("back", "After a reload", |play| {
        play.keep();
        play.open();
        play.stand(view(State::Queued));
    }),
    Scene::new("plain", "Without WebAssembly: the plain form", |play| {
        play.lacks.push(Lack::Wasm);
        play.step(Step::Press("button.launch"));
        play.see(".plain iframe");
    }),
    Scene::new("link", "A page that the site does not list: a link", |play| {
        play.reply(Call::Form, Reply::problem(&Kind::OriginNotAllowed.problem("")));
        play.step(Step::Press("button.launch"));
        play.see("a.launch");
    }),
];

fn fail(play: &mut Play, failure: Failure) {
    play.over(CallbackView { failure: Some(failure), ..view(State::Failed) });
}

/// A call at a chosen time that the visitor may still change.
fn booked() -> CallbackView {
    CallbackView {
        schedule: Some(window("2031-03-04")),
        cancellable: true,
        changeable: true,
        number_changeable: true,
        ..view(State::Scheduled)
    }
}

/// The zone of the shop.
const ZONE: &str = "Europe/Berlin";

/// Half an hour in the morning of that day.
fn window(date: &str) -> Window {
    Window {
        date: date.to_owned(),
        start: "09:00:00".to_owned(),
        end: "09:30:00".to_owned(),
        timezone: ZONE.to_owned(),
        starts_at: format!("{date}T08:00:00Z"),
        ends_at: format!("{date}T08:30:00Z"),
    }
}

/// The site takes calls at a chosen time.
fn offer_times(play: &mut Play) {
    play.form.schedule = Some(ScheduleOffer {
        timezone: ZONE.to_owned(),
        horizon_days: 14,
        notice_minutes: 30,
        shortest_minutes: 30,
        longest_minutes: 240,
        slot_minutes: 30,
    });
    let slots = slots(play);
    play.reply(Call::Slots, Reply::of(200, &slots));
}

/// A few free times of two days.
fn slots(play: &Play) -> Slots {
    let slot = |date: &str, hour: u8| Slot {
        starts_at: format!("{date}T{hour:02}:00:00+01:00"),
        ends_at: format!("{date}T{hour:02}:30:00+01:00"),
    };
    let days = ["2031-03-04", "2031-03-05"];
    Slots {
        timezone: ZONE.to_owned(),
        slots: days.iter().flat_map(|day| [9, 11, 14].map(|hour| slot(day, hour))).collect(),
        texts: ringback::locale::exact(&play.form.locale)
            .map_or_else(BTreeMap::new, |locale| locale.texts_of(Part::Slots)),
    }
}
