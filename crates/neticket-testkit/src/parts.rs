//! The two sets of backends on which everything is tested.

/// The backends of a test environment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Parts {
    /// SQLite, and the ledger in the process.
    Embedded,
    /// MariaDB and Redis.
    Shared,
}

/// Makes two tests of each `async fn name(parts: Parts)`: `name::embedded` and `name::shared`.
#[macro_export]
macro_rules! on_both {
    ($(async fn $name:ident($parts:ident: Parts) $body:block)+) => {
        $(
            mod $name {
                #[allow(unused_imports, reason = "not every test uses everything")]
                use super::*;

                async fn test($parts: $crate::Parts) $body

                #[$crate::tokio::test(flavor = "multi_thread", worker_threads = 2, crate = "neticket_testkit::tokio")]
                async fn embedded() {
                    test($crate::Parts::Embedded).await;
                }

                #[$crate::tokio::test(flavor = "multi_thread", worker_threads = 2, crate = "neticket_testkit::tokio")]
                async fn shared() {
                    test($crate::Parts::Shared).await;
                }
            }
        )+
    };
}
