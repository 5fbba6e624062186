//! The demo season: invented shows in Korea, with times relative to the moment when the season is created.

mod classical;
mod concerts;
mod family;
mod show;
mod theatre;

pub(super) use show::{Sale, Show, Start, Taken};

/// All shows of the season.
pub(super) fn shows() -> impl Iterator<Item = &'static Show> {
    [theatre::SHOWS, concerts::SHOWS, classical::SHOWS, family::SHOWS].into_iter().flatten()
}
