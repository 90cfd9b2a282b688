//! Another number for a callback that nothing was sent of: by the rules for a new one.

use ringback_contract::field;
use ringback_contract::problem::FieldError;

use super::{Intake, Refusal, refused};
use crate::callback::{Callback, State};
use crate::phone::PhoneNumber;
use crate::site::Site;
use crate::store::number::Renumbered;

impl Intake {
    /// The number that was given, where it may be called for the site.
    pub fn number(&self, site: &Site, typed: &str, country: &str) -> Result<PhoneNumber, Vec<FieldError>> {
        let mut errors = Vec::new();
        if let Err(code) = field::country(country) {
            errors.push(refused("country", code));
        }
        self.read_phone(site, typed, country, &mut errors).ok_or(errors)
    }

    /// Counts a number that is about to be called instead of another.
    pub async fn count_number(&self, phone: &PhoneNumber) -> Result<(), Refusal> {
        self.limits.count_number(phone).await
    }

    /// Writes the next revision of a callback, which is for another number. `false`: another change came first.
    ///
    /// It takes the claim to the new number. Where another callback has that, nothing changes: to join it would leave two people with
    /// one call, one of whom never asked for it there.
    pub async fn change_number(&self, next: &Callback, by_visitor: bool) -> Result<bool, Refusal> {
        let now = self.clock.now();
        let claim = (self.join_s > 0).then(|| self.claim(next, now));
        // Who gives another number agrees to be called there. A text that has changed since was not agreed to.
        let agreed = |version: &str| next.request.consent_version.as_deref() == Some(version);
        let given = self
            .consents
            .get(&next.request.site)
            .filter(|given| by_visitor && agreed(&given.version) && !next.is_decoy());
        let given = given.map(|given| given.in_language(&next.request.locale));
        match self.store.change_number(next, claim.as_ref(), given.as_ref()).await? {
            Renumbered::Done => {
                tracing::info!(
                    callback = %next.id,
                    phone = %next.request.phone,
                    booked = next.state == State::Scheduled,
                    "callback is for another number"
                );
                Ok(true)
            }
            Renumbered::Overtaken => Ok(false),
            Renumbered::Claimed(_) => Err(Refusal::Claimed),
            Renumbered::TooSoon { ended_at } => Err(self.too_soon(&next.request.site, ended_at)),
        }
    }
}
