//! What Webex tells of a task.

use jiff::Timestamp;

/// What an event says of a task.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TaskChange {
    /// The task exists (`task:new`).
    New,
    /// It waits in a queue (`task:parked`).
    Parked,
    /// An agent is being offered it (`task:connect`).
    Offered,
    /// The agent is connected (`task:connected`).
    Connected,
    /// The agent did not pick up; the task goes on (`task:ended` with the reason "RONA Timer Expired").
    NotPickedUp,
    /// It has ended, by the person or the agent (`task:ended`).
    EndedByPeople,
    /// It was ended by the system (`task:ended`, terminatingParty System).
    EndedBySystem,
    /// It could not be played (`task:failed`).
    Failed,
}

impl TaskChange {
    /// The text of the change in the store.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::Parked => "parked",
            Self::Offered => "offered",
            Self::Connected => "connected",
            Self::NotPickedUp => "not_picked_up",
            Self::EndedByPeople => "ended_by_people",
            Self::EndedBySystem => "ended_by_system",
            Self::Failed => "failed",
        }
    }

    /// The change of that text.
    pub fn parse(text: &str) -> Option<Self> {
        [
            Self::New,
            Self::Parked,
            Self::Offered,
            Self::Connected,
            Self::NotPickedUp,
            Self::EndedByPeople,
            Self::EndedBySystem,
            Self::Failed,
        ]
        .into_iter()
        .find(|change| change.as_str() == text)
    }
}

/// An event about a task. It carries no personal data: the numbers that Webex sends along are not kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TaskEvent {
    /// The event's own id; a repeated delivery has the same.
    pub id: String,
    /// The task.
    pub task_id: String,
    /// What happened.
    pub change: TaskChange,
    /// When it happened, by Webex's clock.
    pub at: Timestamp,
    /// Why, in Webex's words.
    pub reason: Option<String>,
}
