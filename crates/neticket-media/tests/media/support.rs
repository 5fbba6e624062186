//! The two backends. Every test gets its own.

use std::path::PathBuf;
use std::time::Duration;

use neticket_media::Media;
use neticket_testkit::{S3, age};
use tempfile::TempDir;

/// A backend that stores images, with direct access to what it stores.
pub(crate) struct TestBackend {
    pub(crate) media: Media,
    storage: Storage,
}

enum Storage {
    Folder(TempDir),
    S3(S3),
}

impl TestBackend {
    pub(crate) fn folder() -> Self {
        let folder = tempfile::tempdir().unwrap();
        Self {
            media: Media::in_folder(&folder.path().join("images")).unwrap(),
            storage: Storage::Folder(folder),
        }
    }

    pub(crate) async fn s3() -> Self {
        let s3 = S3::start().await;
        Self { media: Media::in_bucket(s3.options()), storage: Storage::S3(s3) }
    }

    /// The names of all stored files or objects, in order.
    pub(crate) fn names(&self) -> Vec<String> {
        match &self.storage {
            Storage::S3(s3) => s3.objects(),
            Storage::Folder(folder) => {
                let entries = std::fs::read_dir(folder.path().join("images")).unwrap();
                let mut names: Vec<String> =
                    entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
                names.sort();
                names
            }
        }
    }

    /// Stores something that is not ours, or only looks like it.
    pub(crate) fn put_foreign(&self, name: &str) {
        match &self.storage {
            Storage::S3(s3) => s3.put_foreign(name),
            Storage::Folder(_) => std::fs::write(self.path(name), name).unwrap(),
        }
    }

    /// Makes a file or object look as if it was written `by` earlier.
    pub(crate) fn age(&self, name: &str, by: Duration) {
        match &self.storage {
            Storage::S3(s3) => s3.age(name, by),
            Storage::Folder(_) => age(&self.path(name), by),
        }
    }

    /// Deletes a file or object, as another process might.
    pub(crate) fn delete(&self, name: &str) {
        match &self.storage {
            Storage::S3(s3) => s3.delete(name),
            Storage::Folder(_) => std::fs::remove_file(self.path(name)).unwrap(),
        }
    }

    fn path(&self, name: &str) -> PathBuf {
        match &self.storage {
            Storage::Folder(folder) => folder.path().join("images").join(name),
            Storage::S3(_) => unreachable!("objects in S3 have no paths"),
        }
    }
}

/// Makes two tests from each `async fn name(backend: &TestBackend)`: `name::folder` and `name::s3`.
macro_rules! on_both {
    ($(async fn $name:ident($backend:ident: &TestBackend $(,)?) $body:block)+) => {
        $(
            mod $name {
                #[allow(unused_imports, reason = "not every test uses everything")]
                use super::*;

                async fn test($backend: &TestBackend) $body

                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn folder() {
                    test(&TestBackend::folder()).await;
                }

                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn s3() {
                    test(&TestBackend::s3().await).await;
                }
            }
        )+
    };
}
pub(crate) use on_both;
