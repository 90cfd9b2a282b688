//! The doors that callbacks come in by.

/// The door that a callback came in by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Door {
    /// The form on a website.
    Site,
    /// The REST door.
    Crm,
    /// The form on a website, where no person has filled it in: nobody is called, and whoever sent it is not to know.
    Decoy,
}

impl Door {
    /// The text of the door in the store.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Site => "site",
            Self::Crm => "crm",
            Self::Decoy => "decoy",
        }
    }

    /// The door of that text.
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Site, Self::Crm, Self::Decoy].into_iter().find(|door| door.as_str() == text)
    }
}
