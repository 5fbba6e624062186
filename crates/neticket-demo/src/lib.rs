//! The demo season: fifty events with posters, an audience that has booked some of them, and two accounts to
//! sign in with.
//!
//! It is for a first look and for development. The passwords are published, so [`seed`] refuses
//! production.

mod accounts;
mod booking;
mod poster;
mod report;
mod schedule;
mod season;

use std::collections::HashMap;

use anyhow::{Context, bail};
use neticket_app::{App, Config, Environment};
use neticket_domain::{EventId, Timestamp};
use neticket_media::{ImageFormat, Media};
use neticket_store::{EventFilter, EventRecord, NewEvent, NewTicketType, Store};

pub use report::Report;

use schedule::Times;
use season::Show;

/// Events per page when the store is read.
const PAGE_LEN: u32 = 100;

/// Creates the season. If it exists completely, nothing changes. If its creation was interrupted, the missing
/// parts are added. All times are relative to now.
///
/// # Errors
/// In production, or if the store or the image folder cannot be used. What was created before the error
/// stays, and a repeat adds the rest.
pub async fn seed(config: &Config) -> anyhow::Result<Report> {
    if config.environment == Environment::Production {
        bail!("the demo season is not allowed in production, because its passwords are public");
    }
    let store = App::open_store(config).await?;
    let shows = season::shows()?;
    let events = shows.len();
    if booking::season_exists(&store).await? {
        return Ok(Report { events, created: false });
    }
    let media = App::open_media(config)?;
    let (person, now) = accounts::logins(config, &store).await?;
    let audience = accounts::audience(&store, now).await?;
    let existing = titles(&store, now).await?;
    let mut created = Vec::with_capacity(events);
    for show in &shows {
        let event = match existing.get(&show.title) {
            Some(id) => store.event(*id).await?.context("a demo event does not exist any more")?,
            None => event_create(&store, &media, show, now).await?,
        };
        created.push((show, event));
    }
    // The show whose bookings mark the season as complete comes last.
    created.sort_by_key(|(show, _)| booking::is_last(show));
    for (show, event) in &created {
        booking::fill(&store, show, event, &audience, person, now).await?;
    }
    Ok(Report { events, created: true })
}

/// The existing events, by title.
async fn titles(store: &Store, now: Timestamp) -> anyhow::Result<HashMap<String, EventId>> {
    let filter = EventFilter { include_past: true, ..EventFilter::default() };
    let mut titles = HashMap::new();
    for page in 1.. {
        let (events, _) = store.events_page(&filter, now, page, PAGE_LEN).await?;
        if events.is_empty() {
            break;
        }
        titles.extend(events.into_iter().map(|event| (event.title, event.id)));
    }
    Ok(titles)
}

async fn event_create(
    store: &Store,
    media: &Media,
    show: &Show,
    now: Timestamp,
) -> anyhow::Result<EventRecord> {
    let Times { starts_at, window } = Times::of(show, now);
    let svg = show.poster.with_date(&schedule::poster_date(starts_at));
    let image_key = media.put(svg.as_bytes(), ImageFormat::Svg).await?;
    let ticket_types = show.ticket_types.iter().map(|ticket_type| NewTicketType {
        name: ticket_type.name.clone(),
        price: ticket_type.price,
        capacity: ticket_type.capacity,
    });
    let new = NewEvent {
        title: show.title.clone(),
        place: show.place.clone(),
        description: show.description(),
        starts_at,
        opens_at: window.opens_at,
        closes_at: window.closes_at,
        max_per_user: show.max_per_user,
        image_key: Some(image_key),
        ticket_types: ticket_types.collect(),
    };
    Ok(store.event_create(&new, None, now).await?)
}

#[cfg(test)]
mod tests;
