//! The key of an image: half of the hash of its content, its size, and its format.

use std::fmt;

/// Number of hexadecimal digits of a key: 128 bits of BLAKE3, so that two different images never share a key.
const HASH_DIGITS: usize = 32;
/// What follows the hash in the key of the smaller size.
const CARD: &str = "-card";

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

    /// Whether images of this format are stored in two sizes. Uploads are encoded only to such formats.
    fn has_card(self) -> bool {
        matches!(self, Self::Webp | Self::Jpg)
    }
}

/// A size in which an image is stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ImageSize {
    /// For the page of an event. Events name an image by the key of this size.
    Full,
    /// For lists. An image that has only one size is shown in that size.
    Card,
}

/// `<32 hexadecimal digits>.<extension>` or `…-card.<extension>`, and nothing else, so that a key can safely
/// be joined to a folder's path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Key {
    hash: String,
    size: ImageSize,
    format: ImageFormat,
}

impl Key {
    /// The key of an image in its full size.
    pub(crate) fn of(bytes: &[u8], format: ImageFormat) -> Self {
        let mut hash = blake3::hash(bytes).to_hex().to_string();
        hash.truncate(HASH_DIGITS);
        Self { hash, size: ImageSize::Full, format }
    }

    pub(crate) fn parse(text: &str) -> Option<Self> {
        let (name, extension) = text.split_once('.')?;
        let format = ImageFormat::ALL.into_iter().find(|format| format.extension() == extension)?;
        let (hash, size) = match name.strip_suffix(CARD) {
            Some(hash) if format.has_card() => (hash, ImageSize::Card),
            _ => (name, ImageSize::Full),
        };
        let digits =
            hash.len() == HASH_DIGITS && hash.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
        digits.then(|| Self { hash: hash.to_owned(), size, format })
    }

    /// As [`Self::parse`], but only for full sizes, by which events name images. A card is a part of an
    /// image.
    pub(crate) fn parse_full(text: &str) -> Option<Self> {
        Self::parse(text).filter(|key| key.size == ImageSize::Full)
    }

    pub(crate) fn format(&self) -> ImageFormat {
        self.format
    }

    /// The key of the same image in its full size.
    pub(crate) fn full(&self) -> Self {
        Self { size: ImageSize::Full, ..self.clone() }
    }

    /// The key of the same image as a card. `None` if its format has no card.
    pub(crate) fn card(&self) -> Option<Self> {
        self.format.has_card().then(|| Self { size: ImageSize::Card, ..self.clone() })
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let size = match self.size {
            ImageSize::Full => "",
            ImageSize::Card => CARD,
        };
        write!(f, "{}{size}.{}", self.hash, self.format.extension())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HASH: &str = "0123456789abcdef0123456789abcdef";

    #[test]
    fn a_key_is_parsed_from_its_text() {
        for format in ImageFormat::ALL {
            let key = Key::of(b"image", format);
            assert_eq!(Key::parse(&key.to_string()), Some(key.clone()));
            assert_eq!(Key::parse_full(&key.to_string()), Some(key));
        }
    }

    #[test]
    fn the_card_of_an_image_has_its_own_key_that_no_event_can_use() {
        let key = Key::of(b"image", ImageFormat::Webp);
        let card = key.card().unwrap();
        assert_eq!(card.to_string(), format!("{}-card.webp", key.hash));
        assert_eq!(Key::parse(&card.to_string()), Some(card.clone()));
        assert_eq!(Key::parse_full(&card.to_string()), None);
        assert_eq!(card.full(), key);
        assert_eq!(Key::of(b"poster", ImageFormat::Svg).card(), None);
    }

    #[test]
    fn only_hex_digits_and_a_known_extension_make_a_key() {
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
            format!("{HASH}-card.svg"),
            format!("{HASH}-card-card.jpg"),
            format!("{HASH}-Card.jpg"),
            format!("{}-card.jpg", &HASH[5..]),
        ] {
            assert_eq!(Key::parse(&text), None, "{text}");
        }
    }
}
