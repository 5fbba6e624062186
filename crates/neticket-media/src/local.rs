//! Images as files in one folder. A file is written completely or not at all.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use tokio::fs;
use tokio::io::AsyncWriteExt;

use crate::error::MediaError;
use crate::key::Key;
use crate::stored::{Entry, Found, LISTING_LEN_MAX, Listed};

/// The first character of the name of a half-written file.
const HALF_WRITTEN: char = '.';

#[derive(Debug)]
pub(crate) struct LocalBackend {
    path: PathBuf,
    /// Numbers the half-written files of this process, so that two writers never share one.
    writes: AtomicU64,
}

impl LocalBackend {
    pub(crate) fn open(path: &Path) -> Result<Self, MediaError> {
        let folder = Self { path: path.to_owned(), writes: AtomicU64::new(0) };
        std::fs::create_dir_all(path).map_err(|source| folder.fault(source))?;
        Ok(folder)
    }

    fn fault(&self, source: io::Error) -> MediaError {
        MediaError::Folder { folder: self.path.clone(), source: Arc::new(source) }
    }

    /// Checks whether the folder exists.
    pub(crate) async fn ping(&self) -> Result<(), MediaError> {
        fs::read_dir(&self.path).await.map(|_| ()).map_err(|source| self.fault(source))
    }

    /// Writes to another name and then renames the file, so that a reader sees the complete image or none,
    /// also after a crash.
    pub(crate) async fn put(&self, key: &Key, bytes: &[u8]) -> Result<(), MediaError> {
        let write = self.writes.fetch_add(1, Ordering::Relaxed);
        let half_written = self.path.join(format!("{HALF_WRITTEN}{key}.{}.{write}", std::process::id()));
        let written = self.write(&half_written, key, bytes).await;
        if written.is_err() {
            // The write's own error is returned. A leftover file is only litter.
            let _ = fs::remove_file(&half_written).await;
        }
        written.map_err(|source| MediaError::Write { key: key.to_string(), source: Arc::new(source) })
    }

    async fn write(&self, half_written: &Path, key: &Key, bytes: &[u8]) -> io::Result<()> {
        let mut file = fs::File::create(half_written).await?;
        file.write_all(bytes).await?;
        file.sync_all().await?;
        fs::rename(half_written, self.path_of(key)).await?;
        self.sync().await
    }

    /// A rename or a removal is durable only after an fsync of the folder (fsync(2)). Windows cannot open a
    /// folder for that.
    async fn sync(&self) -> io::Result<()> {
        if cfg!(unix) {
            fs::File::open(&self.path).await?.sync_all().await?;
        }
        Ok(())
    }

    pub(crate) async fn read(&self, key: &Key) -> Result<Option<Found>, MediaError> {
        let path = self.path_of(key);
        let read = async { io::Result::Ok((fs::read(&path).await?, fs::metadata(&path).await?.modified()?)) };
        match read.await {
            Ok((bytes, modified)) => {
                Ok(Some(Found { bytes: Bytes::from(bytes), modified_ms: millis(modified) }))
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(source) => Err(MediaError::Read { key: key.to_string(), source: Arc::new(source) }),
        }
    }

    pub(crate) async fn contains(&self, key: &Key) -> Result<bool, MediaError> {
        fs::try_exists(self.path_of(key))
            .await
            .map_err(|source| MediaError::Read { key: key.to_string(), source: Arc::new(source) })
    }

    pub(crate) async fn remove(&self, key: &Key) -> Result<(), MediaError> {
        let removed = match fs::remove_file(self.path_of(key)).await {
            Ok(()) => self.sync().await,
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            Err(error) => Err(error),
        };
        removed.map_err(|source| MediaError::Remove { key: key.to_string(), source: Arc::new(source) })
    }

    /// The images after `after`, in the order of their keys.
    pub(crate) async fn list(&self, after: Option<&str>) -> Result<Listed, MediaError> {
        let (names, _) = self.names().await.map_err(|source| self.fault(source))?;
        let mut names: Vec<String> =
            names.into_iter().filter(|name| after.is_none_or(|after| name.as_str() > after)).collect();
        names.sort_unstable();
        let is_last = names.len() <= LISTING_LEN_MAX;
        names.truncate(LISTING_LEN_MAX);
        let next = names.last().filter(|_| !is_last).cloned();
        let mut entries = Vec::with_capacity(names.len());
        for name in names {
            let Some(key) = Key::parse(&name) else { continue };
            // Removed meanwhile, because another node sweeps too.
            let Ok(metadata) = fs::metadata(self.path.join(&name)).await else { continue };
            let modified = metadata.modified().map_err(|source| self.fault(source))?;
            entries.push(Entry { key, modified_ms: millis(modified) });
        }
        Ok(Listed { entries, next })
    }

    /// Removes half-written files that were last modified before `before_ms` (milliseconds since 1970).
    pub(crate) async fn sweep_half_written(&self, before_ms: i64) -> Result<usize, MediaError> {
        let sweep = async {
            let mut swept = 0;
            for name in self.names().await?.1 {
                let path = self.path.join(name);
                let Ok(modified) = fs::metadata(&path).await.and_then(|metadata| metadata.modified()) else {
                    continue;
                };
                if millis(modified) < before_ms && fs::remove_file(&path).await.is_ok() {
                    swept += 1;
                }
            }
            Ok(swept)
        };
        sweep.await.map_err(|source| self.fault(source))
    }

    /// The names of images and of half-written files. Other files are ignored.
    async fn names(&self) -> io::Result<(Vec<String>, Vec<String>)> {
        let (mut images, mut half_written) = (Vec::new(), Vec::new());
        let mut folder = fs::read_dir(&self.path).await?;
        while let Some(entry) = folder.next_entry().await? {
            let Ok(name) = entry.file_name().into_string() else { continue };
            if Key::parse(&name).is_some() {
                images.push(name);
            } else if is_half_written(&name) {
                half_written.push(name);
            }
        }
        Ok((images, half_written))
    }

    fn path_of(&self, key: &Key) -> PathBuf {
        self.path.join(key.to_string())
    }
}

/// Whether `name` is `.<key>.<process>.<write>`, as [`LocalBackend::put`] names files.
fn is_half_written(name: &str) -> bool {
    let Some(name) = name.strip_prefix(HALF_WRITTEN) else { return false };
    let mut parts = name.rsplitn(3, '.');
    let is_number = |part: Option<&str>| part.is_some_and(|part| part.bytes().all(|b| b.is_ascii_digit()));
    is_number(parts.next()) && is_number(parts.next()) && parts.next().and_then(Key::parse).is_some()
}

fn millis(moment: SystemTime) -> i64 {
    let since_epoch: Duration = moment.duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since_epoch.as_millis()).unwrap_or(i64::MAX)
}
