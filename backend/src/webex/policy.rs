//! What an answer of Webex means for the call: one table, from which the code acts and in which a reader can look up.
//!
//! Source: Webex OpenAPI (`webex-contact-center.json`, May 2026), the responses of each operation. What it does not list:
//! `429`, which any call may meet ("Rate Limiting"), and the calls to `webexapis.com`.

/// A call to Webex.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operation {
    /// `POST /v1/tasks`
    CreateTask,
    /// `GET /v1/tasks`
    ListTasks,
    /// `POST /search`
    Search,
    /// `GET /v1/ewt`
    EstimateWait,
    /// `POST /v1/callbacks/organization/{orgId}/scheduled-callback`
    CreateScheduledCallback,
    /// `GET /v1/callbacks/organization/{orgId}/scheduled-callback`
    ListScheduledCallbacks,
    /// `GET …/scheduled-callback/{id}`
    ReadScheduledCallback,
    /// `PUT …/scheduled-callback/{id}`
    UpdateScheduledCallback,
    /// `DELETE …/scheduled-callback/{id}`
    DeleteScheduledCallback,
    /// `POST /v1/subscriptions`, `POST /v2/subscriptions`
    CreateSubscription,
    /// `GET /v1/subscriptions`, `GET /v2/subscriptions`
    ListSubscriptions,
    /// `PATCH …/subscriptions/{id}`
    UpdateSubscription,
    /// `DELETE …/subscriptions/{id}`
    DeleteSubscription,
    /// `GET /v1/event-types`
    ListEventTypes,
    /// `GET /organization/{orgId}/…`
    ReadConfiguration,
    /// `POST /v1/access_token`
    IssueToken,
}

/// What becomes of a call that did not lead to the answer that was wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Policy {
    /// It took no effect, or may take effect twice without harm: the same call again, after a wait of our own.
    Repeat,
    /// Webex did not process it and asks for patience: again, not before it says (`Retry-After`).
    Wait,
    /// The access token is not accepted: again, with another.
    Refresh,
    /// Webex refuses it, and would refuse it again.
    GiveUp,
    /// It may have taken effect: never again before somebody has looked.
    Ambiguous,
}

impl Policy {
    /// Its name, for logs.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Repeat => "repeat",
            Self::Wait => "wait",
            Self::Refresh => "refresh",
            Self::GiveUp => "give up",
            Self::Ambiguous => "ambiguous",
        }
    }
}

struct Row {
    operation: Operation,
    /// What it is answered with when it was done.
    done: &'static [u16],
    give_up: &'static [u16],
    wait: &'static [u16],
    failed: &'static [u16],
    /// For `failed`, and for all that says nothing about what became of the call.
    lost: Policy,
}

const fn row(
    operation: Operation,
    done: &'static [u16],
    give_up: &'static [u16],
    wait: &'static [u16],
    failed: &'static [u16],
    lost: Policy,
) -> Row {
    Row { operation, done, give_up, wait, failed, lost }
}

/// The documented statuses of each operation.
///
/// `lost` is the policy of the statuses before it, and of no answer (a time-out, a cut connection), an answer that cannot be
/// read, and every status that is neither here nor in [`Operation::policy`]. It is `Ambiguous` where a second call would do a
/// second thing. A call that did not leave (no connection, no token) is `Repeat` always.
#[rustfmt::skip]
const TABLE: [Row; 16] = {
    use Operation::{
        CreateScheduledCallback, CreateSubscription, CreateTask, DeleteScheduledCallback, DeleteSubscription,
        EstimateWait, IssueToken, ListEventTypes, ListScheduledCallbacks, ListSubscriptions, ListTasks,
        ReadConfiguration, ReadScheduledCallback, Search, UpdateScheduledCallback, UpdateSubscription,
    };
    use Policy::{Ambiguous, Repeat};
    [
        //                           done         give up                          wait          failed  lost
        row(CreateTask,              &[201],      &[400, 403],                     &[429, 503],  &[500], Ambiguous),
        row(ListTasks,               &[200],      &[400, 403, 413, 422],           &[429, 503],  &[500], Repeat),
        row(Search,                  &[200],      &[400, 403, 404, 409, 413, 422], &[429, 503],  &[500], Repeat),
        row(EstimateWait,            &[200, 204], &[400, 403, 422],                &[429, 503],  &[500], Repeat),
        row(CreateScheduledCallback, &[201],      &[400, 403],                     &[429, 503],  &[500], Ambiguous),
        row(ListScheduledCallbacks,  &[200],      &[400, 403],                     &[429, 503],  &[500], Repeat),
        row(ReadScheduledCallback,   &[200],      &[403, 404],                     &[429, 503],  &[500], Repeat),
        row(UpdateScheduledCallback, &[200],      &[400, 403, 404],                &[429, 503],  &[500], Repeat),
        row(DeleteScheduledCallback, &[204],      &[403, 404],                     &[429, 503],  &[500], Repeat),
        row(CreateSubscription,      &[201],      &[400, 403],                     &[429],       &[500], Ambiguous),
        row(ListSubscriptions,       &[200],      &[400, 403],                     &[429],       &[500], Repeat),
        row(UpdateSubscription,      &[200],      &[400, 403],                     &[429],       &[500], Repeat),
        row(DeleteSubscription,      &[204],      &[400, 403],                     &[429],       &[500], Repeat),
        row(ListEventTypes,          &[200],      &[400, 403],                     &[429],       &[500], Repeat),
        row(ReadConfiguration,       &[200],      &[400, 403, 404],                &[429],       &[500], Repeat),
        // A refresh token is good for more than one use, so a lost answer can be asked for again.
        row(IssueToken,              &[200],      &[400, 401],                     &[429],       &[500], Repeat),
    ]
};

impl Operation {
    /// Every operation.
    pub fn all() -> impl Iterator<Item = Self> {
        TABLE.iter().map(|row| row.operation)
    }

    /// Its name, for logs.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::CreateTask => "create-task",
            Self::ListTasks => "list-tasks",
            Self::Search => "search",
            Self::EstimateWait => "estimate-wait",
            Self::CreateScheduledCallback => "create-scheduled-callback",
            Self::ListScheduledCallbacks => "list-scheduled-callbacks",
            Self::ReadScheduledCallback => "read-scheduled-callback",
            Self::UpdateScheduledCallback => "update-scheduled-callback",
            Self::DeleteScheduledCallback => "delete-scheduled-callback",
            Self::CreateSubscription => "create-subscription",
            Self::ListSubscriptions => "list-subscriptions",
            Self::UpdateSubscription => "update-subscription",
            Self::DeleteSubscription => "delete-subscription",
            Self::ListEventTypes => "list-event-types",
            Self::ReadConfiguration => "read-configuration",
            Self::IssueToken => "issue-token",
        }
    }

    /// Whether that status says that it was done.
    pub fn is_done(self, status: u16) -> bool {
        self.row().done.contains(&status)
    }

    /// The statuses that Webex documents for its failures, and `429`.
    pub fn failures(self) -> impl Iterator<Item = u16> {
        let row = self.row();
        let refresh = if row.give_up.contains(&401) { &[][..] } else { &[401] };
        refresh.iter().chain(row.give_up).chain(row.wait).chain(row.failed).copied()
    }

    /// What a status means that does not say that it was done. `spoken`: the answer is one that Webex itself wrote, and
    /// not something in between: it holds one of the error envelopes, or says when to come back.
    pub fn policy(self, status: u16, spoken: bool) -> Policy {
        let row = self.row();
        match status {
            // A wrong base address, or a proxy that lost its way: that nothing is there must be Webex's own word.
            404 if !spoken => Policy::Repeat,
            status if row.give_up.contains(&status) => Policy::GiveUp,
            401 => Policy::Refresh,
            429 => Policy::Wait,
            // A gateway writes 503 also for a connection that broke while the call was under way.
            503 if spoken || row.lost == Policy::Repeat => Policy::Wait,
            408 => row.lost,
            // Not from a list of Webex. Its own word is taken; a proxy's (a wrong base address, a firewall) may pass.
            400..=499 if spoken => Policy::GiveUp,
            400..=499 => Policy::Repeat,
            _ => row.lost,
        }
    }

    /// What it means when nothing is known of what became of the call.
    pub fn lost(self) -> Policy {
        self.row().lost
    }

    fn row(self) -> &'static Row {
        // Each operation has its row: a test asks for all of them.
        TABLE.iter().find(|row| row.operation == self).unwrap_or(&TABLE[0])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_operation_has_one_row_and_each_documented_status_one_policy() {
        for operation in Operation::all() {
            assert_eq!(Operation::all().filter(|other| *other == operation).count(), 1, "{operation:?}");
            assert_eq!(operation.row().operation, operation);
            let failures: Vec<u16> = operation.failures().collect();
            for status in &failures {
                assert_eq!(
                    failures.iter().filter(|other| *other == status).count(),
                    1,
                    "{operation:?} {status}"
                );
                assert!(!operation.is_done(*status));
            }
        }
    }

    #[test]
    fn what_makes_something_is_never_simply_repeated() {
        use Operation::{CreateScheduledCallback, CreateSubscription, CreateTask};
        for operation in Operation::all() {
            let makes = [CreateTask, CreateScheduledCallback, CreateSubscription].contains(&operation);
            let lost = if makes { Policy::Ambiguous } else { Policy::Repeat };
            assert_eq!(operation.lost(), lost);
            for status in
                [200, 202, 302, 408, 500, 502, 504, 520].into_iter().filter(|s| !operation.is_done(*s))
            {
                assert_eq!(operation.policy(status, true), lost, "{operation:?} {status}");
            }
        }
    }

    #[test]
    fn a_503_that_webex_did_not_write_says_nothing_of_what_became_of_a_new_task() {
        assert_eq!(Operation::CreateTask.policy(503, true), Policy::Wait);
        assert_eq!(Operation::CreateTask.policy(503, false), Policy::Ambiguous);
        assert_eq!(Operation::ListTasks.policy(503, false), Policy::Wait);
    }

    #[test]
    fn a_refusal_counts_where_webex_documents_it_or_says_it_itself() {
        assert_eq!(Operation::CreateTask.policy(400, false), Policy::GiveUp);
        assert_eq!(Operation::CreateTask.policy(404, true), Policy::GiveUp);
        assert_eq!(Operation::CreateTask.policy(404, false), Policy::Repeat);
        assert_eq!(Operation::CreateTask.policy(401, true), Policy::Refresh);
        assert_eq!(Operation::IssueToken.policy(401, true), Policy::GiveUp);
    }
}
