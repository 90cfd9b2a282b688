//! The access token.

use std::path::PathBuf;

use secrecy::{ExposeSecret as _, SecretString};

/// Where the access token comes from.
#[derive(Clone, Debug)]
pub enum TokenSource {
    /// The configuration.
    Fixed(SecretString),
    /// A file, read anew for each request.
    File(PathBuf),
}

impl TokenSource {
    /// The token as it stands now.
    pub(super) async fn read(&self) -> Result<SecretString, String> {
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
}

/// The organisation's id, which Webex puts at the end of its tokens: `…_<cluster>_<organisation>`. A convenience of
/// Webex's own samples, not a promise.
pub(super) fn organization_of(token: &SecretString) -> Option<String> {
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
        let source = TokenSource::File(path.clone());
        assert!(source.read().await.unwrap_err().contains("cannot be read"));
        std::fs::write(&path, "first\n").unwrap();
        assert_eq!(source.read().await.unwrap().expose_secret(), "first");
        std::fs::write(&path, "second\n").unwrap();
        assert_eq!(source.read().await.unwrap().expose_secret(), "second");
        std::fs::write(&path, "two words").unwrap();
        assert!(source.read().await.is_err());
    }
}
