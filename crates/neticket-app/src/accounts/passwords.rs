//! Hashes and checks passwords: outside of the async threads, one per core at a time, with a bounded queue.

use std::sync::Arc;

use argon2::{Algorithm, Argon2, Params, PasswordHasher, PasswordVerifier, Version};
use tokio::sync::Semaphore;

use crate::error::AppError;

/// Argon2id parameters: OWASP Password Storage Cheat Sheet, second recommended configuration.
const MEMORY_KIB: u32 = 19_456;
const PASSES: u32 = 2;
const LANES: u32 = 1;
/// Most hashes that wait or run, per core. At 20 ms per hash the last one waits about 1 s.
const WAITING_PER_CORE_MAX: usize = 50;
/// The password that is checked for an unknown e-mail, so that the check takes as long as for a known one.
const NOBODYS_PASSWORD: &str = "nobody has this password";

/// Hashes and checks passwords, with a limit on how many run and wait.
pub(crate) struct Passwords {
    argon2: Argon2<'static>,
    running: Arc<Semaphore>,
    waiting: Arc<Semaphore>,
    nobodys_hash: Arc<str>,
}

impl Passwords {
    /// # Errors
    /// If the operating system gives no randomness.
    pub(crate) fn new() -> Result<Self, AppError> {
        let params = Params::new(MEMORY_KIB, PASSES, LANES, None).map_err(hashing_error)?;
        let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let nobodys_hash =
            argon2.hash_password(NOBODYS_PASSWORD.as_bytes()).map_err(hashing_error)?.to_string().into();
        Ok(Self {
            argon2,
            running: Arc::new(Semaphore::new(cores)),
            waiting: Arc::new(Semaphore::new(cores * WAITING_PER_CORE_MAX)),
            nobodys_hash,
        })
    }

    /// Hashes `password` into a PHC string.
    ///
    /// # Errors
    /// `Overloaded` if too many hashes wait already.
    pub(crate) async fn hash(&self, password: &str) -> Result<String, AppError> {
        let (argon2, password) = (self.argon2.clone(), password.to_owned());
        self.run(move || Ok(argon2.hash_password(password.as_bytes()).map_err(hashing_error)?.to_string()))
            .await?
    }

    /// Whether `password` is the one behind `hash`. With `None` the answer is `false`, after the same time.
    ///
    /// # Errors
    /// `Overloaded` if too many hashes wait already.
    pub(crate) async fn matches(&self, password: &str, hash: Option<&str>) -> Result<bool, AppError> {
        let known = hash.is_some();
        let hash: Arc<str> = hash.map_or_else(|| Arc::clone(&self.nobodys_hash), Arc::from);
        let (argon2, password) = (self.argon2.clone(), password.to_owned());
        let equal = self.run(move || argon2.verify_password(password.as_bytes(), &*hash).is_ok()).await?;
        Ok(equal && known)
    }

    async fn run<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> Result<T, AppError> {
        let _queue_permit =
            Arc::clone(&self.waiting).try_acquire_owned().map_err(|_| AppError::Overloaded)?;
        let core = Arc::clone(&self.running).acquire_owned().await.map_err(|_| AppError::Overloaded)?;
        let work = move || {
            let _core = core; // held even if the caller is cancelled
            work()
        };
        tokio::task::spawn_blocking(work).await.map_err(hashing_error)
    }
}

#[allow(clippy::needless_pass_by_value, reason = "it serves map_err")]
fn hashing_error(error: impl std::fmt::Display) -> AppError {
    AppError::Internal(format!("cannot hash a password: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_password_matches_its_own_hash_only() {
        let passwords = Passwords::new().unwrap();
        let hash = passwords.hash("abcdef1!").await.unwrap();
        assert!(hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{hash}");
        assert!(passwords.matches("abcdef1!", Some(&hash)).await.unwrap());
        assert!(!passwords.matches("abcdef1?", Some(&hash)).await.unwrap());
    }

    #[tokio::test]
    async fn no_password_matches_an_unknown_account() {
        let passwords = Passwords::new().unwrap();
        assert!(!passwords.matches(NOBODYS_PASSWORD, None).await.unwrap());
    }

    #[tokio::test]
    async fn a_password_hash_is_refused_when_too_many_wait() {
        let passwords = Passwords::new().unwrap();
        let all = u32::try_from(passwords.waiting.available_permits()).unwrap();
        let _full = passwords.waiting.acquire_many(all).await.unwrap();
        assert!(matches!(passwords.hash("abcdef1!").await, Err(AppError::Overloaded)));
    }
}
