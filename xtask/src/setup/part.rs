//! What commands need.

/// The needs of some command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Part {
    /// Building the browser client.
    Client,
    /// Running tests in Rust.
    Nextest,
    /// MariaDB and Redis.
    Servers,
    /// nginx, for several nodes.
    Proxy,
    /// A browser, and the library that controls it.
    Browser,
    /// The program that fuzzes the API with its schema.
    Schema,
    /// The program that checks licences and sources of dependencies.
    Deny,
}

impl Part {
    /// The needs of `cargo xtask ci`, and what `cargo xtask setup` installs. The proxy is not included,
    /// because Debian starts it as soon as it is installed, and nobody who only changes code should get a web
    /// server on port 80.
    pub(crate) const ALL: [Self; 6] =
        [Self::Client, Self::Nextest, Self::Servers, Self::Browser, Self::Schema, Self::Deny];
}
