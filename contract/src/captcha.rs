//! Captchas of others, where a site has one.

use serde::{Deserialize, Serialize};

/// The header that carries a captcha's token.
pub const CAPTCHA: &str = "Ringback-Captcha";

/// Who makes the captcha.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "lowercase")]
pub enum Provider {
    /// Cloudflare Turnstile.
    Turnstile,
    /// hCaptcha.
    Hcaptcha,
}

/// A captcha to show.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Captcha {
    /// Who makes it: the name of the object that its script puts on the page.
    pub provider: Provider,
    /// The key that the provider knows the site by.
    pub site_key: String,
    /// The provider's script.
    pub script: String,
}
