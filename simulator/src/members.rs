//! Strict reading of a JSON object: every member must be known and of its type, so that a caller's mistake shows.

use serde_json::{Map, Value};

use crate::envelope::Refusal;

/// The members of one object.
pub(crate) struct Members<'a>(pub(crate) &'a Map<String, Value>);

impl<'a> Members<'a> {
    /// Refuses a member whose name is not in `names`.
    pub(crate) fn only(&self, names: &[&str]) -> Result<(), Refusal> {
        match self.0.keys().find(|name| !names.contains(&name.as_str())) {
            Some(name) => Err(Refusal::bad(format!("Unknown member '{name}'."))),
            None => Ok(()),
        }
    }

    /// A string, or nothing when the member is absent or null.
    pub(crate) fn text(&self, name: &str) -> Result<Option<&'a str>, Refusal> {
        match self.0.get(name) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(_) => Err(Refusal::bad(format!("{name} must be a string."))),
        }
    }

    /// A string that must be there.
    pub(crate) fn required(&self, name: &str) -> Result<&'a str, Refusal> {
        self.text(name)?
            .filter(|text| !text.is_empty())
            .ok_or_else(|| Refusal::bad(format!("{name} is mandatory.")))
    }

    /// A string that has a number of characters within bounds when it is there.
    pub(crate) fn sized(&self, name: &str, least: usize, most: usize) -> Result<Option<&'a str>, Refusal> {
        let Some(text) = self.text(name)? else { return Ok(None) };
        let length = text.chars().count();
        if (least..=most).contains(&length) {
            Ok(Some(text))
        } else {
            Err(Refusal::bad(format!("{name} must have {least} to {most} characters, not {length}.")))
        }
    }

    /// An object, or nothing when the member is absent or null.
    pub(crate) fn object(&self, name: &str) -> Result<Option<&'a Map<String, Value>>, Refusal> {
        match self.0.get(name) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::Object(members)) => Ok(Some(members)),
            Some(_) => Err(Refusal::bad(format!("{name} must be an object."))),
        }
    }
}
