//! Event images: kept under a key made from their content, and read back by that key.
//!
//! A key says what it names (`blake3` of the bytes) and how to serve it (the extension), so an image never changes
//! under its address and may be cached for ever. What keeps the bytes is [`folder`]'s business alone; another place to
//! keep them is another module with the same three functions.

mod folder;
mod key;

use std::path::Path;

use folder::Folder;
use key::Key;

pub use folder::MediaError;
pub use key::ImageFormat;

/// Where event images are kept. Cheap to share behind an `Arc`.
#[derive(Debug)]
pub struct Media {
    images: Folder,
}

/// An image as it goes to a browser.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Image {
    pub bytes: Vec<u8>,
    pub content_type: &'static str,
}

impl Media {
    /// Keeps images in `folder`, which is made if it is not there.
    ///
    /// # Errors
    /// The folder cannot be made.
    pub fn open(folder: &Path) -> Result<Self, MediaError> {
        Ok(Self { images: Folder::open(folder)? })
    }

    /// Keeps `bytes` and answers their key. The same bytes have the same key; keeping them again changes nothing.
    /// The caller has made sure that `bytes` are what `format` says.
    ///
    /// # Errors
    /// The image could not be written; then nothing is kept under its key that was not there before.
    pub async fn put(&self, bytes: &[u8], format: ImageFormat) -> Result<String, MediaError> {
        let key = Key::of(bytes, format);
        if !self.images.contains(&key).await {
            self.images.put(&key, bytes).await?;
        }
        Ok(key.to_string())
    }

    /// The image of `key`; `None` if there is none, or if `key` is not a key. One that is there but cannot be read is
    /// logged and answered as absent: a page without its picture is better than no page.
    pub async fn read(&self, key: &str) -> Option<Image> {
        let key = Key::parse(key)?;
        match self.images.read(&key).await {
            Ok(bytes) => bytes.map(|bytes| Image { bytes, content_type: key.format().content_type() }),
            Err(error) => {
                tracing::warn!(%key, %error, "cannot read an image");
                None
            }
        }
    }

    /// Whether `key` names an image that is kept here.
    pub async fn contains(&self, key: &str) -> bool {
        match Key::parse(key) {
            Some(key) => self.images.contains(&key).await,
            None => false,
        }
    }

    /// The path by which a browser asks for the image of `key`.
    pub fn url(&self, key: &str) -> String {
        format!("/images/{key}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SVG: &[u8] = b"<svg xmlns=\"http://www.w3.org/2000/svg\"/>";

    fn media() -> (Media, tempfile::TempDir) {
        let folder = tempfile::tempdir().unwrap();
        (Media::open(&folder.path().join("images")).unwrap(), folder)
    }

    #[tokio::test]
    async fn an_image_is_read_back_by_its_key() {
        let (media, _folder) = media();
        let key = media.put(SVG, ImageFormat::Svg).await.unwrap();
        let image = media.read(&key).await.unwrap();
        assert_eq!((image.bytes.as_slice(), image.content_type), (SVG, "image/svg+xml"));
        assert!(media.contains(&key).await);
        assert_eq!(media.url(&key), format!("/images/{key}"));
    }

    #[tokio::test]
    async fn the_same_bytes_are_kept_once() {
        let (media, folder) = media();
        let first = media.put(SVG, ImageFormat::Svg).await.unwrap();
        let second = media.put(SVG, ImageFormat::Svg).await.unwrap();
        assert_eq!(first, second);
        assert_eq!(std::fs::read_dir(folder.path().join("images")).unwrap().count(), 1);
        assert_ne!(first, media.put(b"other", ImageFormat::Svg).await.unwrap());
    }

    #[tokio::test]
    async fn images_put_at_once_leave_no_half_written_file() {
        let (media, folder) = media();
        let media = std::sync::Arc::new(media);
        let bytes = vec![7; 200_000];
        let puts: Vec<_> = (0..8)
            .map(|_| {
                let (media, bytes) = (media.clone(), bytes.clone());
                tokio::spawn(async move { media.put(&bytes, ImageFormat::Png).await.unwrap() })
            })
            .collect();
        for put in puts {
            let key = put.await.unwrap();
            assert_eq!(media.read(&key).await.unwrap().bytes, bytes);
        }
        assert_eq!(std::fs::read_dir(folder.path().join("images")).unwrap().count(), 1);
    }

    #[tokio::test]
    async fn a_name_that_is_not_a_key_reaches_no_file() {
        let (media, folder) = media();
        std::fs::write(folder.path().join("secret.svg"), "secret").unwrap();
        std::fs::write(folder.path().join("images/plain.svg"), "plain").unwrap();
        for name in ["../secret.svg", "plain.svg", "", ".", "..", "/etc/passwd", "%2e%2e/secret.svg"] {
            assert_eq!(media.read(name).await, None, "{name}");
            assert!(!media.contains(name).await, "{name}");
        }
    }

    #[tokio::test]
    async fn an_image_that_was_never_put_is_absent() {
        let (media, _folder) = media();
        assert_eq!(media.read("00112233445566778899aabbccddeeff.svg").await, None);
    }
}
