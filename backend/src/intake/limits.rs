//! How many callbacks are taken: of a site, to a number, with a link.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use super::{Refusal, Wanted};
use crate::config::Config;
use crate::guard::rate::Limit;
use crate::guard::shared::SharedLimits;
use crate::phone::PhoneNumber;
use crate::rates::Rates;
use crate::site::Site;

/// How many callbacks are taken.
#[derive(Debug)]
pub(super) struct Limits {
    number: Limit,
    /// Of the sites that have none of their own.
    site: Limit,
    of_sites: BTreeMap<String, Limit>,
    link: Limit,
    /// Of those who prove nothing, at an address and at a site.
    waited: Limit,
    waited_site: Limit,
}

impl Limits {
    /// The limits of the configuration.
    pub(super) fn new(config: &Config, shared: Option<&Arc<SharedLimits>>) -> Self {
        let limit = |name, rates: &Rates| Limit::new(name, rates, shared.cloned());
        let own = |(id, site): (&String, &Site)| Some((id.clone(), limit("site", site.limit.as_ref()?)));
        Self {
            number: limit("number", &config.limits.number),
            site: limit("site", &config.limits.site),
            of_sites: config.sites.iter().filter_map(own).collect(),
            link: limit("link", &config.limits.link),
            waited: limit("waited", &config.limits.waited),
            waited_site: limit("waited_site", &config.limits.waited_site),
        }
    }

    /// Counts a request that is about to be stored.
    pub(super) async fn count(&self, wanted: &Wanted) -> Result<(), Refusal> {
        let request = &wanted.request;
        if let Some(link) = &wanted.link {
            count(&self.link, link).await?;
        }
        count(self.of_sites.get(&request.site).unwrap_or(&self.site), &request.site).await?;
        self.count_number(&request.phone).await
    }

    /// Counts a number that is about to be called, for whatever site: who is called for many is called as often.
    pub(super) async fn count_number(&self, phone: &PhoneNumber) -> Result<(), Refusal> {
        count(&self.number, phone.e164()).await
    }

    /// How the limit of a number refuses for that long.
    pub(super) fn refuse_number(&self, reset: Duration) -> Refusal {
        Refusal::Limited { name: self.number.name(), verdict: self.number.refused_for(reset) }
    }

    /// Counts a request that is about to be stored though nothing was proven.
    pub(super) async fn count_waited(&self, site: &str, network: &str) -> Result<(), Refusal> {
        count(&self.waited, network).await?;
        count(&self.waited_site, site).await
    }

    /// Forgets callers that are as good as new.
    pub(super) fn sweep(&self) {
        let of_sites = self.of_sites.values();
        let all = [&self.number, &self.site, &self.link, &self.waited, &self.waited_site];
        of_sites.chain(all).for_each(Limit::sweep);
    }
}

async fn count(limit: &Limit, caller: &str) -> Result<(), Refusal> {
    let verdict = limit.count(caller).await;
    if verdict.allowed { Ok(()) } else { Err(Refusal::Limited { name: limit.name(), verdict }) }
}
