//! The two sets of backends on which everything is tested.

/// The backends of a test environment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Backends {
    /// SQLite, and the ledger in the process.
    Embedded,
    /// MariaDB and Redis.
    Shared,
}

/// Makes two tests of each `async fn name(backends: Backends)`: `name::embedded` and `name::shared`.
#[macro_export]
macro_rules! on_both {
    ($(async fn $name:ident($backends:ident: Backends $(,)?) $body:block)+) => {
        $(
            mod $name {
                #[allow(unused_imports, reason = "not every test uses everything")]
                use super::*;

                async fn test($backends: $crate::Backends) $body

                #[$crate::tokio::test(flavor = "multi_thread", worker_threads = 2, crate = "neticket_testkit::tokio")]
                async fn embedded() {
                    test($crate::Backends::Embedded).await;
                }

                #[$crate::tokio::test(flavor = "multi_thread", worker_threads = 2, crate = "neticket_testkit::tokio")]
                async fn shared() {
                    test($crate::Backends::Shared).await;
                }
            }
        )+
    };
}
