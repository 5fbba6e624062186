//! The secret that signs access tokens: configured, or generated once and kept in the data folder.

use std::io;
use std::path::{Path, PathBuf};

use crate::config::Config;
use crate::start_error::StartError;

/// Minimum length of a secret in bytes. A shorter text in the file is the rest of an interrupted write.
const SECRET_LEN_MIN: usize = 32;

/// Returns the configured secret, or the secret in the data folder. Generates one there if there is none.
///
/// # Errors
/// [`StartError::Files`].
pub(crate) fn read_or_generate(config: &Config) -> Result<String, StartError> {
    match read(config)? {
        Some(secret) => Ok(secret),
        None => generate(&config.data_dir).map_err(|source| file_error(&config.data_dir, "written", source)),
    }
}

/// Returns the configured secret, or the secret in the data folder if it exists. Changes nothing.
///
/// # Errors
/// [`StartError::Files`].
pub(crate) fn read(config: &Config) -> Result<Option<String>, StartError> {
    if config.jwt_secret.is_some() {
        return Ok(config.jwt_secret.clone());
    }
    read_file(&config.data_dir).map_err(|source| file_error(&config.data_dir, "read", source))
}

fn read_file(data_dir: &Path) -> io::Result<Option<String>> {
    match std::fs::read_to_string(path(data_dir)) {
        Ok(secret) => Ok(Some(secret).filter(|secret| secret.len() >= SECRET_LEN_MIN)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

fn path(data_dir: &Path) -> PathBuf {
    data_dir.join("jwt-secret")
}

fn file_error(data_dir: &Path, done: &str, source: io::Error) -> StartError {
    StartError::Files {
        what: format!("the token secret {} cannot be {done}", path(data_dir).display()),
        source,
    }
}

/// Generates a secret and writes it to the data folder, readable only by the owner. If another process has
/// written one there meanwhile, returns that secret.
fn generate(data_dir: &Path) -> io::Result<String> {
    let mut folder = std::fs::DirBuilder::new();
    folder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut folder, 0o700);
    folder.create(data_dir)?;
    let secret = hex::encode(rand::random::<[u8; 32]>());
    let temporary = data_dir.join(format!("jwt-secret.{}", std::process::id()));
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(&temporary)?;
    io::Write::write_all(&mut file, secret.as_bytes())?;
    file.sync_all()?;
    // Unlike a rename, a hard link never replaces a file, so it cannot replace the secret of another process.
    match std::fs::hard_link(&temporary, path(data_dir)) {
        Ok(()) => std::fs::remove_file(&temporary)?,
        Err(error) if may_be_renamed(&error) => {
            if let Some(other) = read_file(data_dir)? {
                std::fs::remove_file(&temporary)?;
                return Ok(other);
            }
            std::fs::rename(&temporary, path(data_dir))?;
        }
        Err(error) => return Err(error),
    }
    Ok(secret)
}

/// Whether a rename may follow if the file holds no secret: it is the rest of an interrupted write, or the
/// file system has no hard links, such as exFAT.
fn may_be_renamed(error: &io::Error) -> bool {
    use io::ErrorKind::{AlreadyExists, PermissionDenied, Unsupported};
    matches!(error.kind(), AlreadyExists | PermissionDenied | Unsupported)
}
