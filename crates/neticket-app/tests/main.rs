//! The application on real parts: SQLite with the ledger in the process, and MariaDB with Redis.

mod booking;
mod faults;
mod opening;
mod sessions;

/// Runs each test on both sets of parts.
macro_rules! on_both {
    ($($(#[$meta:meta])* async fn $name:ident($parts:ident: Parts) $body:block)+) => {
        $(
            mod $name {
                #[allow(unused_imports, reason = "not every test uses everything")]
                use super::*;

                async fn test($parts: Parts) $body

                $(#[$meta])*
                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn embedded() {
                    test(Parts::Embedded).await;
                }

                $(#[$meta])*
                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn shared() {
                    test(Parts::Shared).await;
                }
            }
        )+
    };
}
pub(crate) use on_both;
