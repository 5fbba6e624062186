//! Images as files of one folder, each written whole or not at all.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use tokio::fs;
use tokio::io::AsyncWriteExt;

use crate::key::Key;

/// The folder did not do as told.
#[derive(Debug, thiserror::Error)]
pub enum MediaError {
    #[error("cannot make the image folder {}", .folder.display())]
    Open {
        folder: PathBuf,
        #[source]
        source: io::Error,
    },
    #[error("cannot write image {key}")]
    Write {
        key: String,
        #[source]
        source: io::Error,
    },
    #[error("cannot read image {key}")]
    Read {
        key: String,
        #[source]
        source: io::Error,
    },
}

#[derive(Debug)]
pub(crate) struct Folder {
    path: PathBuf,
    /// Numbers this process's half-written files, so that two writers never share one.
    writes: AtomicU64,
}

impl Folder {
    pub(crate) fn open(path: &Path) -> Result<Self, MediaError> {
        std::fs::create_dir_all(path)
            .map_err(|source| MediaError::Open { folder: path.to_owned(), source })?;
        Ok(Self { path: path.to_owned(), writes: AtomicU64::new(0) })
    }

    /// Writes beside the final name and renames, so that a reader sees the whole image or none, also after a crash.
    pub(crate) async fn put(&self, key: &Key, bytes: &[u8]) -> Result<(), MediaError> {
        let write = self.writes.fetch_add(1, Ordering::Relaxed);
        let half_written = self.path.join(format!(".{key}.{}.{write}", std::process::id()));
        let written = self.write(&half_written, key, bytes).await;
        if written.is_err() {
            // What is wrong has an error of its own already; a leftover file is only litter.
            let _ = fs::remove_file(&half_written).await;
        }
        written.map_err(|source| MediaError::Write { key: key.to_string(), source })
    }

    async fn write(&self, half_written: &Path, key: &Key, bytes: &[u8]) -> io::Result<()> {
        let mut file = fs::File::create(half_written).await?;
        file.write_all(bytes).await?;
        file.sync_all().await?;
        fs::rename(half_written, self.path_of(key)).await?;
        // The rename itself lasts only once the folder is on disk (fsync(2)); Windows cannot open a folder for that.
        if cfg!(unix) {
            fs::File::open(&self.path).await?.sync_all().await?;
        }
        Ok(())
    }

    pub(crate) async fn read(&self, key: &Key) -> Result<Option<Vec<u8>>, MediaError> {
        match fs::read(self.path_of(key)).await {
            Ok(bytes) => Ok(Some(bytes)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(source) => Err(MediaError::Read { key: key.to_string(), source }),
        }
    }

    pub(crate) async fn contains(&self, key: &Key) -> bool {
        fs::try_exists(self.path_of(key)).await.unwrap_or(false)
    }

    fn path_of(&self, key: &Key) -> PathBuf {
        self.path.join(key.to_string())
    }
}
