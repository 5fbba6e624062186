//! The key of an image: half of its content's hash, and the format it is in.

use std::fmt;

/// Hexadecimal digits of a key: 128 bits of BLAKE3, so no two images that anyone ever puts share one.
const HASH_DIGITS: usize = 32;

/// How an image is encoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ImageFormat {
    Svg,
    Webp,
    Jpg,
    Png,
}

impl ImageFormat {
    const ALL: [Self; 4] = [Self::Svg, Self::Webp, Self::Jpg, Self::Png];

    fn extension(self) -> &'static str {
        match self {
            Self::Svg => "svg",
            Self::Webp => "webp",
            Self::Jpg => "jpg",
            Self::Png => "png",
        }
    }

    pub(crate) fn content_type(self) -> &'static str {
        match self {
            Self::Svg => "image/svg+xml",
            Self::Webp => "image/webp",
            Self::Jpg => "image/jpeg",
            Self::Png => "image/png",
        }
    }
}

/// `<32 hexadecimal digits>.<extension>`, and nothing else: a key can be joined to a folder without a second look.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Key {
    hash: String,
    format: ImageFormat,
}

impl Key {
    pub(crate) fn of(bytes: &[u8], format: ImageFormat) -> Self {
        let mut hash = blake3::hash(bytes).to_hex().to_string();
        hash.truncate(HASH_DIGITS);
        Self { hash, format }
    }

    pub(crate) fn parse(text: &str) -> Option<Self> {
        let (hash, extension) = text.split_once('.')?;
        let format = ImageFormat::ALL.into_iter().find(|format| format.extension() == extension)?;
        let digits =
            hash.len() == HASH_DIGITS && hash.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
        digits.then(|| Self { hash: hash.to_owned(), format })
    }

    pub(crate) fn format(&self) -> ImageFormat {
        self.format
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.hash, self.format.extension())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HASH: &str = "0123456789abcdef0123456789abcdef";

    #[test]
    fn a_key_reads_back_from_its_text() {
        for format in ImageFormat::ALL {
            let key = Key::of(b"image", format);
            assert_eq!(Key::parse(&key.to_string()), Some(key));
        }
    }

    #[test]
    fn only_digits_and_a_known_extension_make_a_key() {
        assert!(Key::parse(&format!("{HASH}.svg")).is_some());
        for text in [
            format!("{HASH}.gif"),
            format!("{HASH}.svg.exe"),
            format!("{HASH}."),
            HASH.to_owned(),
            format!("{}.svg", HASH.to_uppercase()),
            format!("{}.svg", &HASH[1..]),
            format!("{HASH}0.svg"),
            format!("../{}.svg", &HASH[3..]),
            format!("{HASH}.svg\0"),
            format!("{HASH}.SVG"),
        ] {
            assert_eq!(Key::parse(&text), None, "{text}");
        }
    }
}
