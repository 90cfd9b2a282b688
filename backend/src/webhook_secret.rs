//! Secrets that messages to CRMs are signed with, and how (Standard Webhooks specification, "Signature scheme").

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use secrecy::{ExposeSecret as _, SecretSlice, SecretString};
use sha2::Sha256;

/// What every secret starts with.
const PREFIX: &str = "whsec_";

/// The bytes of a secret: 24 to 64 of them; `None` where the text is not one.
pub fn read(text: &SecretString) -> Option<SecretSlice<u8>> {
    let bytes = STANDARD.decode(text.expose_secret().strip_prefix(PREFIX)?).ok()?;
    (24..=64).contains(&bytes.len()).then(|| SecretSlice::from(bytes))
}

/// One signature: HMAC-SHA256 over id, seconds since 1970 and body, parted by dots.
pub fn sign(secret: &SecretSlice<u8>, id: &str, timestamp: i64, body: &str) -> String {
    // RFC 2104 section 2 fills a key up to the block of the hash with zeros; a secret is at most as long as the block.
    let mut block = [0; 64];
    let bytes = secret.expose_secret();
    let length = bytes.len().min(block.len());
    block[..length].copy_from_slice(&bytes[..length]);
    let mut authenticator = Hmac::<Sha256>::new(&block.into());
    authenticator.update(format!("{id}.{timestamp}.{body}").as_bytes());
    format!("v1,{}", STANDARD.encode(authenticator.finalize().into_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signature_is_that_of_the_specification() {
        // The vector that the reference libraries of the specification share.
        let secret = read(&SecretString::from("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")).unwrap();
        let signature =
            sign(&secret, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1_614_265_330, r#"{"test": 2432232314}"#);
        assert_eq!(signature, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    }

    #[test]
    fn a_secret_is_marked_and_long_enough() {
        let is_one = |text: &str| read(&SecretString::from(text)).is_some();
        assert!(is_one(&format!("whsec_{}", STANDARD.encode([7; 24]))));
        assert!(is_one(&format!("whsec_{}", STANDARD.encode([7; 64]))));
        for bad in [
            STANDARD.encode([7; 32]),
            format!("whsec_{}", STANDARD.encode([7; 23])),
            format!("whsec_{}", STANDARD.encode([7; 65])),
            "whsec_not base64".to_owned(),
            String::new(),
        ] {
            assert!(!is_one(&bad), "{bad}");
        }
    }
}
