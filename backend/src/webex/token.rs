//! The access token.

use std::fmt::Debug;
use std::path::PathBuf;

use async_trait::async_trait;
use secrecy::{ExposeSecret as _, SecretString};

use crate::config;

/// Where access tokens come from.
#[async_trait]
pub trait Tokens: Debug + Send + Sync {
    /// The token as it stands now.
    ///
    /// # Errors
    ///
    /// Why there is none, and what to do, for the operator.
    async fn current(&self) -> Result<SecretString, String>;

    /// Another token than that one, which Webex has refused; `None` where there is no other.
    async fn instead_of(&self, refused: &SecretString) -> Option<SecretString>;
}

/// An access token that the operator looks after.
#[derive(Clone, Debug)]
pub enum PastedToken {
    /// In the configuration.
    Fixed(SecretString),
    /// In a file, read anew for each request.
    File(PathBuf),
}

impl PastedToken {
    /// The one of the configuration.
    pub fn of(config: &config::Webex) -> Self {
        match config.access_token_file.as_str() {
            "" => Self::Fixed(config.access_token.clone()),
            path => Self::File(path.into()),
        }
    }
}

#[async_trait]
impl Tokens for PastedToken {
    async fn current(&self) -> Result<SecretString, String> {
        let token = match self {
            Self::Fixed(token) => token.clone(),
            Self::File(path) => match tokio::fs::read_to_string(path).await {
                Ok(text) => SecretString::from(text.trim()),
                Err(error) => return Err(format!("{} cannot be read: {error}", path.display())),
            },
        };
        let sound = !token.expose_secret().is_empty()
            && token.expose_secret().bytes().all(|byte| byte.is_ascii_graphic());
        if sound { Ok(token) } else { Err("the access token is empty or holds white space".to_owned()) }
    }

    async fn instead_of(&self, refused: &SecretString) -> Option<SecretString> {
        // The file may have been replaced while the request was under way.
        self.current().await.ok().filter(|token| token.expose_secret() != refused.expose_secret())
    }
}

/// The organisation's id, which Webex puts at the end of its tokens: `…_<cluster>_<organisation>`. A convenience of
/// Webex's own samples, not a promise.
pub fn organization_of(token: &SecretString) -> Option<String> {
    let (_, last) = token.expose_secret().rsplit_once('_')?;
    uuid::Uuid::try_parse(last).ok().map(|id| id.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_organisation_stands_at_the_end_of_a_token() {
        let organization = |token: &str| organization_of(&SecretString::from(token));
        assert_eq!(
            organization("abc_PF84_658d1102-0000-4000-8000-000000000001").as_deref(),
            Some("658d1102-0000-4000-8000-000000000001")
        );
        assert_eq!(organization("abc_PF84_nothing"), None);
        assert_eq!(organization("abc"), None);
    }

    #[tokio::test]
    async fn a_token_file_is_read_anew() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("token");
        let source = PastedToken::File(path.clone());
        assert!(source.current().await.unwrap_err().contains("cannot be read"));
        std::fs::write(&path, "first\n").unwrap();
        let first = source.current().await.unwrap();
        assert_eq!(first.expose_secret(), "first");
        assert!(source.instead_of(&first).await.is_none());
        std::fs::write(&path, "second\n").unwrap();
        assert_eq!(source.instead_of(&first).await.unwrap().expose_secret(), "second");
        std::fs::write(&path, "two words").unwrap();
        assert!(source.current().await.is_err());
    }
}
