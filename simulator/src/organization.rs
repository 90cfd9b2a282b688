//! The organisation that the simulator plays: fixed ids, so that a test or a demo can name them.
//!
//! Every number lies in the range 555-01xx, which is kept free for fiction, and every address is at `example.com`.

/// The organisation.
pub const ORG_ID: &str = "5f1e0c2a-7b3d-4c19-9a64-0d1b2e3f4a50";
/// The cluster of the identity service; the second to last part of an access token.
pub const CLUSTER: &str = "SIM1";

/// Outbound, active, callbacks enabled, feeds [`SUPPORT_QUEUE`].
pub const CALLBACK_ENTRY_POINT: &str = "11111111-0000-4000-8000-000000000001";
/// Outbound, active, callbacks enabled, feeds [`BILLING_QUEUE`].
pub const BILLING_ENTRY_POINT: &str = "11111111-0000-4000-8000-000000000002";
/// Outbound with callbacks enabled, but not active.
pub const INACTIVE_ENTRY_POINT: &str = "11111111-0000-4000-8000-000000000003";
/// Outbound and active, but callbacks are not enabled.
pub const CALLBACK_DISABLED_ENTRY_POINT: &str = "11111111-0000-4000-8000-000000000004";
/// Outbound and active with callbacks enabled, but no queue behind it.
pub const QUEUELESS_ENTRY_POINT: &str = "11111111-0000-4000-8000-000000000005";
/// Inbound with a flow that reads [`AGENT_VARIABLES`] and falls back to [`SUPPORT_QUEUE`].
pub const FLOW_ENTRY_POINT: &str = "22222222-0000-4000-8000-000000000001";
/// Inbound without a flow.
pub const FLOWLESS_ENTRY_POINT: &str = "22222222-0000-4000-8000-000000000002";
/// The flow behind [`FLOW_ENTRY_POINT`].
pub const PREFERRED_AGENT_FLOW: &str = "33333333-0000-4000-8000-000000000001";

/// The flow variables that name a preferred agent, by e-mail address or id; case counts.
pub const AGENT_VARIABLES: [&str; 2] = ["preferredAgent", "agentEmail"];

/// The ANI that a call has when the request names none.
pub const DEFAULT_ANI: &str = "+15555550190";
/// A second ANI.
pub const SECOND_ANI: &str = "+15555550191";
/// A third ANI.
pub const THIRD_ANI: &str = "+15555550192";
/// The list that holds the three ANIs.
pub const ANI_LIST: &str = "44444444-0000-4000-8000-000000000001";

/// A queue with enough calls for an estimate of the wait.
pub const SUPPORT_QUEUE: &str = "55555555-0000-4000-8000-000000000001";
/// A queue with too few calls for an estimate.
pub const BILLING_QUEUE: &str = "55555555-0000-4000-8000-000000000002";
/// The team of every agent.
pub const TEAM: &str = "66666666-0000-4000-8000-000000000001";

/// Grace Loh, logged in.
pub const GRACE_ID: &str = "77777777-0000-4000-8000-000000000001";
/// Grace Loh's id in the identity service, as `assigneeAgent` wants it.
pub const GRACE_CI_USER_ID: &str = "88888888-0000-4000-8000-000000000001";
/// Grace Loh's address.
pub const GRACE_EMAIL: &str = "grace.loh@example.com";
/// Omar Haddad, logged in.
pub const OMAR_ID: &str = "77777777-0000-4000-8000-000000000002";
/// Omar Haddad's id in the identity service.
pub const OMAR_CI_USER_ID: &str = "88888888-0000-4000-8000-000000000002";
/// Omar Haddad's address.
pub const OMAR_EMAIL: &str = "omar.haddad@example.com";
/// Mia Brandt, not logged in: a call for her falls to the queue.
pub const MIA_ID: &str = "77777777-0000-4000-8000-000000000003";
/// Mia Brandt's id in the identity service.
pub const MIA_CI_USER_ID: &str = "88888888-0000-4000-8000-000000000003";
/// Mia Brandt's address.
pub const MIA_EMAIL: &str = "mia.brandt@example.com";
/// The agent Lea Novak, who has left: her user is not active.
pub const LEA_ID: &str = "77777777-0000-4000-8000-000000000004";
/// Her id in the identity service.
pub const LEA_CI_USER_ID: &str = "88888888-0000-4000-8000-000000000004";
/// Her e-mail address.
pub const LEA_EMAIL: &str = "lea.novak@example.com";

/// The integration.
pub const CLIENT_ID: &str = "C0ffee-simulated-client";
/// Its secret.
pub const CLIENT_SECRET: &str = "simulated-client-secret";
/// A refresh token with every scope.
pub const REFRESH_TOKEN: &str = "simulated-refresh-token";
/// The administrator who consents.
pub const ADMINISTRATOR: &str = "admin@example.com";

/// An access token with every scope.
pub const ACCESS_TOKEN: &str = "simulated-all_SIM1_5f1e0c2a-7b3d-4c19-9a64-0d1b2e3f4a50";
/// An access token without `cjp:user`: no tasks, no scheduled callbacks.
pub const TOKEN_WITHOUT_USER: &str = "simulated-no-user_SIM1_5f1e0c2a-7b3d-4c19-9a64-0d1b2e3f4a50";
/// An access token with `cjp:user` and `cjp:config_read`: nothing of the configuration can be written.
pub const TOKEN_WITHOUT_WRITE: &str = "simulated-no-write_SIM1_5f1e0c2a-7b3d-4c19-9a64-0d1b2e3f4a50";
/// An access token with `cjp:user` alone: the configuration cannot be read and the search is closed.
pub const TOKEN_WITHOUT_READ: &str = "simulated-no-read_SIM1_5f1e0c2a-7b3d-4c19-9a64-0d1b2e3f4a50";
/// An access token whose time is over.
pub const EXPIRED_TOKEN: &str = "simulated-expired_SIM1_5f1e0c2a-7b3d-4c19-9a64-0d1b2e3f4a50";

/// Every scope that the simulator knows.
pub const SCOPES: [&str; 4] = ["cjp:user", "cjp:config_read", "cjp:config_write", "cjp:config"];

/// An entry point.
#[derive(Debug, Clone, Copy)]
pub(crate) struct EntryPoint {
    pub(crate) id: &'static str,
    pub(crate) name: &'static str,
    pub(crate) inbound: bool,
    pub(crate) active: bool,
    pub(crate) callback_enabled: bool,
    pub(crate) outdial_queue_id: Option<&'static str>,
    pub(crate) flow_id: Option<&'static str>,
}

const fn outbound(
    id: &'static str,
    name: &'static str,
    active: bool,
    callback_enabled: bool,
    outdial_queue_id: Option<&'static str>,
) -> EntryPoint {
    EntryPoint { id, name, inbound: false, active, callback_enabled, outdial_queue_id, flow_id: None }
}

const fn inbound(id: &'static str, name: &'static str, flow_id: Option<&'static str>) -> EntryPoint {
    EntryPoint {
        id,
        name,
        inbound: true,
        active: true,
        callback_enabled: false,
        outdial_queue_id: None,
        flow_id,
    }
}

pub(crate) const ENTRY_POINTS: [EntryPoint; 7] = [
    outbound(CALLBACK_ENTRY_POINT, "Website Callback", true, true, Some(SUPPORT_QUEUE)),
    outbound(BILLING_ENTRY_POINT, "Billing Callback", true, true, Some(BILLING_QUEUE)),
    outbound(INACTIVE_ENTRY_POINT, "Former Callback", false, true, Some(SUPPORT_QUEUE)),
    outbound(CALLBACK_DISABLED_ENTRY_POINT, "Outdial", true, false, Some(SUPPORT_QUEUE)),
    outbound(QUEUELESS_ENTRY_POINT, "Outdial without Queue", true, true, None),
    inbound(FLOW_ENTRY_POINT, "Preferred Agent", Some(PREFERRED_AGENT_FLOW)),
    inbound(FLOWLESS_ENTRY_POINT, "Unused Line", None),
];

pub(crate) fn entry_point(id: &str) -> Option<&'static EntryPoint> {
    ENTRY_POINTS.iter().find(|entry_point| entry_point.id == id)
}

/// An agent.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Agent {
    pub(crate) id: &'static str,
    pub(crate) ci_user_id: &'static str,
    pub(crate) email: &'static str,
    pub(crate) first_name: &'static str,
    pub(crate) last_name: &'static str,
    pub(crate) logged_in: bool,
    /// Whether the user is in use; who has left is still listed.
    pub(crate) active: bool,
}

pub(crate) const AGENTS: [Agent; 4] = [
    Agent {
        id: GRACE_ID,
        ci_user_id: GRACE_CI_USER_ID,
        email: GRACE_EMAIL,
        first_name: "Grace",
        last_name: "Loh",
        logged_in: true,
        active: true,
    },
    Agent {
        id: OMAR_ID,
        ci_user_id: OMAR_CI_USER_ID,
        email: OMAR_EMAIL,
        first_name: "Omar",
        last_name: "Haddad",
        logged_in: true,
        active: true,
    },
    Agent {
        id: MIA_ID,
        ci_user_id: MIA_CI_USER_ID,
        email: MIA_EMAIL,
        first_name: "Mia",
        last_name: "Brandt",
        logged_in: false,
        active: true,
    },
    Agent {
        id: LEA_ID,
        ci_user_id: LEA_CI_USER_ID,
        email: LEA_EMAIL,
        first_name: "Lea",
        last_name: "Novak",
        logged_in: false,
        active: false,
    },
];

/// The agent with this e-mail address or id.
pub(crate) fn agent(email_or_id: &str) -> Option<&'static Agent> {
    AGENTS.iter().find(|agent| agent.email.eq_ignore_ascii_case(email_or_id) || agent.id == email_or_id)
}

/// The agent with this id of the identity service.
pub(crate) fn agent_by_ci_user_id(id: &str) -> Option<&'static Agent> {
    AGENTS.iter().find(|agent| agent.ci_user_id == id)
}

/// Name and number of each ANI; the first is the default.
pub(crate) const ANIS: [(&str, &str); 3] =
    [("Main line", DEFAULT_ANI), ("Billing line", SECOND_ANI), ("Support line", THIRD_ANI)];

/// Id and name of each queue.
pub(crate) const QUEUES: [(&str, &str); 2] = [(SUPPORT_QUEUE, "Support"), (BILLING_QUEUE, "Billing")];

pub(crate) fn queue_name(id: &str) -> Option<&'static str> {
    QUEUES.iter().find(|(queue, _)| *queue == id).map(|(_, name)| *name)
}

/// A global variable.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Variable {
    pub(crate) id: &'static str,
    pub(crate) name: &'static str,
    pub(crate) label: &'static str,
    /// Only what is reportable is found by the search.
    pub(crate) reportable: bool,
}

pub(crate) const VARIABLES: [Variable; 6] = [
    Variable {
        id: "99999999-0000-4000-8000-000000000001",
        name: "RingbackRef",
        label: "Request",
        reportable: true,
    },
    Variable {
        id: "99999999-0000-4000-8000-000000000002",
        name: "CallReason",
        label: "Reason",
        reportable: true,
    },
    Variable { id: "99999999-0000-4000-8000-000000000003", name: "Name", label: "Name", reportable: false },
    Variable {
        id: "99999999-0000-4000-8000-000000000004",
        name: "Email",
        label: "E-mail",
        reportable: false,
    },
    Variable { id: "99999999-0000-4000-8000-000000000005", name: "Page", label: "Page", reportable: false },
    Variable {
        id: "99999999-0000-4000-8000-000000000006",
        name: "preferredAgent",
        label: "Preferred agent",
        reportable: true,
    },
];
