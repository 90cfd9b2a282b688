//! What the configuration names, held against what the organisation has. Scope `cjp:config_read`.

use std::collections::{BTreeMap, BTreeSet};

use super::Findings;
use crate::config::Config;
use crate::site::Site;
use crate::webex::client::Client;
use crate::webex::configuration::{EntryPoint, GlobalVariable};
use crate::webex::error::WebexError;

/// Examines entry points, queues, numbers, variables, agents and the subscription.
pub(super) async fn examine(config: &Config, webex: &Client, found: &mut Findings) {
    entry_points(config, webex, found).await;
    queues(config, webex, found).await;
    anis(config, webex, found).await;
    variables(config, webex, found).await;
    agents(config, webex, found).await;
    subscriptions(config, webex, found).await;
}

async fn entry_points(config: &Config, webex: &Client, found: &mut Findings) {
    for (id, site) in &config.sites {
        let mut outbound: BTreeSet<&str> = BTreeSet::from([site.entry_point.as_str()]);
        outbound.extend(
            site.reasons.iter().map(|reason| reason.entry_point.as_str()).filter(|id| !id.is_empty()),
        );
        for entry_point in outbound {
            let subject = format!("sites.{id} {entry_point}");
            judge_entry_point(&subject, webex.entry_point(entry_point).await, callback_flaw, found);
        }
        if let Some(preferred) = &site.preferred_agent {
            let subject = format!("sites.{id}.preferred_agent {}", preferred.entry_point);
            judge_entry_point(&subject, webex.entry_point(&preferred.entry_point).await, flow_flaw, found);
        }
    }
}

fn judge_entry_point(
    subject: &str,
    answer: Result<Option<EntryPoint>, WebexError>,
    flaw: fn(&EntryPoint) -> Option<(&'static str, &'static str)>,
    found: &mut Findings,
) {
    const CHECK: &str = "entry_point";
    match answer {
        Err(error) => found.unanswered(CHECK, subject, &error),
        Ok(None) => found.wrong(
            CHECK,
            subject,
            "does not exist",
            "copy the id from Control Hub: Contact Center, Channels",
        ),
        Ok(Some(entry_point)) => match flaw(&entry_point) {
            Some((what, remedy)) => {
                found.wrong(CHECK, subject, format!("{:?} {what}", entry_point.name), remedy);
            }
            None => found.good(CHECK, subject, format!("{:?} is fit for its use", entry_point.name)),
        },
    }
}

/// What keeps an entry point from taking callbacks.
fn callback_flaw(entry_point: &EntryPoint) -> Option<(&'static str, &'static str)> {
    if entry_point.entry_point_type != "OUTBOUND" {
        Some(("is not an outbound one", "callbacks need an outdial entry point"))
    } else if !entry_point.active {
        Some(("is not active", "activate it in Control Hub"))
    } else if !entry_point.callback_enabled {
        Some(("does not allow callbacks", "enable callbacks for it in Control Hub"))
    } else if entry_point.outdial_queue_id.is_none() {
        Some(("has no outdial queue", "choose an outdial queue for it in Control Hub"))
    } else {
        None
    }
}

/// What keeps an entry point from running the flow for a preferred agent.
fn flow_flaw(entry_point: &EntryPoint) -> Option<(&'static str, &'static str)> {
    if entry_point.entry_point_type != "INBOUND" {
        Some(("is not an inbound one", "a flow is run behind an inbound entry point"))
    } else if !entry_point.active {
        Some(("is not active", "activate it in Control Hub"))
    } else if entry_point.flow_id.is_none() {
        Some(("has no flow", "choose the flow that queues the call to the agent"))
    } else {
        None
    }
}

/// The queues whose wait is shown, and those that scheduled callbacks wait in.
async fn queues(config: &Config, webex: &Client, found: &mut Findings) {
    const CHECK: &str = "queue";
    for (id, site) in &config.sites {
        let of_reasons = site.reasons.iter().map(|reason| reason.queue.as_str());
        let of_wait = site.wait_time.iter().map(|source| source.queue.as_str());
        let of_schedule = site.schedule.iter().map(|offer| offer.queue.as_str());
        let wanted: BTreeSet<&str> =
            of_reasons.chain(of_wait).chain(of_schedule).filter(|queue| !queue.is_empty()).collect();
        for queue in wanted {
            let subject = format!("sites.{id} {queue}");
            match webex.queue(queue).await {
                Err(error) => found.unanswered(CHECK, &subject, &error),
                Ok(None) => found.wrong(
                    CHECK,
                    &subject,
                    "does not exist",
                    "copy the id from Control Hub: Contact Center, Queues",
                ),
                Ok(Some(queue)) if !queue.active => {
                    let detail = format!("{:?} is not active", queue.name);
                    found.wrong(CHECK, &subject, detail, "activate it in Control Hub");
                }
                Ok(Some(queue)) if queue.channel_type != "TELEPHONY" => {
                    let detail = format!("{:?} is for {}", queue.name, queue.channel_type);
                    found.wrong(CHECK, &subject, detail, "choose a queue for telephony");
                }
                Ok(Some(queue)) => {
                    found.good(CHECK, &subject, format!("{:?} is active, for telephony", queue.name));
                }
            }
        }
    }
}

async fn anis(config: &Config, webex: &Client, found: &mut Findings) {
    const CHECK: &str = "ani";
    let wanted: BTreeSet<&String> = config.sites.values().flat_map(Site::own_numbers).collect();
    if wanted.is_empty() {
        return;
    }
    match webex.outdial_anis().await {
        Err(error) => found.unanswered(CHECK, "outdial ANIs", &error),
        Ok(known) => {
            for ani in &wanted {
                if known.contains(ani) {
                    found.good(CHECK, ani, "is an outdial ANI of the organisation");
                } else {
                    found.wrong(
                        CHECK,
                        ani,
                        "is no outdial ANI of the organisation",
                        "write it as it stands in Control Hub, or add it there",
                    );
                }
            }
        }
    }
}

async fn variables(config: &Config, webex: &Client, found: &mut Findings) {
    const CHECK: &str = "variable";
    let known: BTreeMap<String, GlobalVariable> = match webex.global_variables().await {
        Err(error) => return found.unanswered(CHECK, "global variables", &error),
        Ok(variables) => variables.into_iter().map(|variable| (variable.name.clone(), variable)).collect(),
    };
    for (id, site) in &config.sites {
        for name in site.attributes.keys() {
            let subject = format!("sites.{id}.attributes.{name}");
            match known.get(name).filter(|variable| variable.active) {
                None => found.doubtful(
                    CHECK,
                    &subject,
                    "no global variable has this name: agents may not see it",
                    "add it in Control Hub, and to the flow",
                ),
                Some(variable) if *name == site.reference_variable && !variable.reportable => found.doubtful(
                    CHECK,
                    &subject,
                    "is not reportable: requests whose answer was lost are found by number and time alone",
                    "mark the global variable as reportable",
                ),
                Some(_) => found.good(CHECK, &subject, "is a global variable"),
            }
        }
        if let Some(preferred) = &site.preferred_agent {
            let subject = format!("sites.{id}.preferred_agent.variable {}", preferred.variable);
            match known.get(&preferred.variable).filter(|variable| variable.active) {
                Some(_) => found.good(CHECK, &subject, "is a global variable"),
                None => found.doubtful(
                    CHECK,
                    &subject,
                    "no global variable has this name: the flow never learns of the agent unless it has one of its own",
                    "write it as it stands in the flow (case counts), or add the global variable and use it there",
                ),
            }
        }
    }
}

async fn agents(config: &Config, webex: &Client, found: &mut Findings) {
    const CHECK: &str = "agent";
    for (handle, agent) in config.agents.iter().filter(|(_, agent)| !agent.email.is_empty()) {
        match webex.user(agent.email.reveal()).await {
            Err(error) => found.unanswered(CHECK, handle, &error),
            Ok(None) => found.wrong(
                CHECK,
                handle,
                "no user has this e-mail address",
                "correct agents.<handle>.email, or remove the agent",
            ),
            Ok(Some(user)) if !user.active || !user.contact_center_enabled => {
                found.wrong(
                    CHECK,
                    handle,
                    "is not active in the contact centre",
                    "enable the user in Control Hub, or remove the agent",
                );
            }
            Ok(Some(user)) if !agent.id.is_empty() && agent.id != user.id => {
                found.wrong(CHECK, handle, "has another id in Webex", "correct agents.<handle>.id");
            }
            Ok(Some(_)) => found.good(CHECK, handle, "is an active agent"),
        }
    }
}

async fn subscriptions(config: &Config, webex: &Client, found: &mut Findings) {
    const CHECK: &str = "webhooks";
    let destination = format!("{}{}", config.server.public_url, crate::http::WEBHOOK_PATH);
    let subject = if config.server.public_url.is_empty() { "subscription" } else { destination.as_str() };
    if config.webex.webhook_secrets.is_empty() {
        found.doubtful(
            CHECK,
            subject,
            "no secret is configured: webhooks are refused, and tasks are asked about instead",
            "set webex.webhook_secrets",
        );
        return;
    }
    let all = match webex.subscriptions_to(&destination).await {
        Err(error) => return found.unanswered(CHECK, subject, &error),
        Ok(all) => all,
    };
    let subscribe = "run `ringback webex subscribe`";
    match all.first() {
        None => {
            let detail = "no subscription sends its events here: tasks are asked about instead";
            found.doubtful(CHECK, subject, detail, subscribe);
        }
        Some(subscription) if !subscription.active => {
            let remedy =
                "see to it that the service answers at this address, then run `ringback webex subscribe`";
            found.wrong(CHECK, subject, "the subscription is not active", remedy);
        }
        Some(subscription) if !subscription.missing().is_empty() => {
            let detail = format!("is not subscribed to {}", subscription.missing().join(", "));
            found.doubtful(CHECK, subject, detail, subscribe);
        }
        Some(_) => found.good(CHECK, subject, "is subscribed to every event"),
    }
}
