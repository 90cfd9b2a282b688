//! Compresses once at build time, as hard as the formats allow, so that the service never has to.

use std::io::Write as _;

use anyhow::Result;

/// The largest window that every browser's brotli decoder takes (RFC 7932 section 9.1).
const BROTLI_WINDOW_BITS: i32 = 22;

/// As `Content-Encoding: br` (RFC 7932), without the large-window extension, which browsers refuse.
pub(crate) fn brotli(plain: &[u8]) -> Result<Vec<u8>> {
    brotli_of_quality(plain, 11)
}

/// As a server compresses an answer that it makes on the fly.
pub(crate) fn brotli_on_the_fly(plain: &[u8]) -> Result<Vec<u8>> {
    brotli_of_quality(plain, 4)
}

fn brotli_of_quality(plain: &[u8], quality: i32) -> Result<Vec<u8>> {
    let parameters = brotli::enc::BrotliEncoderParams {
        quality,
        lgwin: BROTLI_WINDOW_BITS,
        large_window: false,
        size_hint: plain.len(),
        ..Default::default()
    };
    let mut packed = Vec::new();
    brotli::BrotliCompress(&mut &plain[..], &mut packed, &parameters)?;
    Ok(packed)
}

/// As `Content-Encoding: gzip` (RFC 1952). The header holds no time and no name: the same input gives the same bytes.
pub(crate) fn gzip(plain: &[u8]) -> Result<Vec<u8>> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    encoder.write_all(plain)?;
    Ok(encoder.finish()?)
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;

    use super::*;

    const TEXT: &[u8] = b"call me back, call me back, call me back";

    #[test]
    fn brotli_gives_back_what_went_in() {
        let mut plain = Vec::new();
        brotli::BrotliDecompress(&mut &brotli(TEXT).unwrap()[..], &mut plain).unwrap();
        assert_eq!(plain, TEXT);
    }

    #[test]
    fn gzip_gives_back_what_went_in() {
        let mut plain = Vec::new();
        flate2::read::GzDecoder::new(&gzip(TEXT).unwrap()[..]).read_to_end(&mut plain).unwrap();
        assert_eq!(plain, TEXT);
    }
}
