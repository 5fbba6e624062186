//! The client for administrators.

fn main() {
    frontend::admin();
}
