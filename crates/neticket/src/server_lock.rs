//! Lets one server at a time use an embedded store: `serve` keeps locked files beside the database and in the
//! data folder for as long as it runs.
//!
//! The operating system releases the locks when the process ends, however it ends, so a lock is never left
//! behind. Commands take no lock and work beside a running server.

use std::ffi::OsString;
use std::fs::{DirBuilder, File, OpenOptions, TryLockError};
use std::io::{self, Read as _, Seek as _, Write as _};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use neticket_app::Config;

/// The locked file in the data folder.
const DATA_FOLDER_LOCK: &str = "serve.lock";
/// The longest description of a server that is read from a locked file, in bytes.
const OWNER_LEN_MAX: u64 = 200;

/// The locks of one server. They last until this value is dropped or the process ends.
pub(crate) struct ServerLock {
    files: Vec<File>,
}

impl ServerLock {
    /// Locks the data folder and the database file. A server on a shared database needs no lock: its nodes
    /// may share a data folder for their images.
    ///
    /// The database file has a lock of its own because `NETICKET_DATABASE_URL` can name a file in another
    /// server's data folder. The data folder has one because it holds the images: a server whose database
    /// does not name an image removes it.
    ///
    /// # Errors
    /// Names the server that holds one of the locks. Nothing stays locked then.
    pub(crate) fn acquire(config: &Config) -> anyhow::Result<Self> {
        let mut files = Vec::new();
        if let Some(database) = config.embedded_store_file() {
            make_folder(&config.data_dir)?;
            let what = format!("the data folder {}", config.data_dir.display());
            files.extend(lock(&config.data_dir.join(DATA_FOLDER_LOCK), &what)?);
            if let Some(folder) = database.parent().filter(|folder| *folder != Path::new("")) {
                make_folder(folder)?;
            }
            let what = format!("the database {}", database.display());
            files.extend(lock(&lock_path(&database), &what)?);
        }
        let lock = Self { files };
        lock.describe(&format!("process {}", std::process::id()));
        Ok(lock)
    }

    /// Writes the address of this server into its locked files, for the message of a server that is refused.
    pub(crate) fn set_address(&self, address: &str) {
        self.describe(&format!("process {}, {address}", std::process::id()));
    }

    fn describe(&self, owner: &str) {
        for mut file in &self.files {
            let written =
                file.set_len(0).and_then(|()| file.rewind()).and_then(|()| writeln!(file, "{owner}"));
            if let Err(error) = written {
                tracing::warn!(%error, "cannot write the owner to the lock file");
            }
        }
    }
}

/// The lock file next to the database. Its name is derived from the real path, so that a link leads to the
/// same lock.
fn lock_path(database: &Path) -> PathBuf {
    let real = database.canonicalize().unwrap_or_else(|_| database.to_owned());
    let mut name = OsString::from(real);
    name.push(".lock");
    name.into()
}

/// Opens and locks `path`. `None` if the file system does not support locks.
fn lock(path: &Path, what: &str) -> anyhow::Result<Option<File>> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let file = options.open(path).with_context(|| format!("cannot open the lock file {}", path.display()))?;
    match file.try_lock() {
        Ok(()) => Ok(Some(file)),
        Err(TryLockError::WouldBlock) => bail!(
            "{what} is in use by another server{}: stop that server, or give this server its own folder and \
             of its own",
            owner(&file)
        ),
        Err(TryLockError::Error(error)) if error.kind() == io::ErrorKind::Unsupported => {
            tracing::warn!(path = %path.display(), "the file system has no file locks: do not start a second server");
            Ok(None)
        }
        Err(TryLockError::Error(error)) => {
            Err(error).with_context(|| format!("cannot lock {}", path.display()))
        }
    }
}

/// How the server that holds the lock describes itself, in parentheses; empty if it has not done so yet.
fn owner(file: &File) -> String {
    let mut bytes = Vec::new();
    if file.take(OWNER_LEN_MAX).read_to_end(&mut bytes).is_err() {
        return String::new();
    }
    let text = String::from_utf8_lossy(&bytes);
    let line = text.lines().next().unwrap_or_default();
    let line: String = line.chars().filter(|c| !c.is_control()).collect();
    if line.is_empty() { line } else { format!(" ({line})") }
}

/// Creates a folder if it does not exist, readable by its owner only. It will contain password hashes and a
/// secret.
fn make_folder(folder: &Path) -> anyhow::Result<()> {
    let mut make = DirBuilder::new();
    make.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut make, 0o700);
    make.create(folder).with_context(|| format!("cannot create the folder {}", folder.display()))
}
