//! The client for everyone.

fn main() {
    frontend::client();
}
