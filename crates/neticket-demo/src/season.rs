//! The demo season: invented shows in Korea, with times relative to the moment when the season is created.
//!
//! The shows are in TOML files in the folder `season` of this crate, which are compiled into the binary.

mod show;

use anyhow::Context;
use serde::Deserialize;

pub(super) use show::{Sale, Show, Start, Taken};

/// The files of the season: name and content.
const FILES: [(&str, &str); 4] = [
    ("theatre.toml", include_str!("../season/theatre.toml")),
    ("concerts.toml", include_str!("../season/concerts.toml")),
    ("classical.toml", include_str!("../season/classical.toml")),
    ("family.toml", include_str!("../season/family.toml")),
];

/// A file of the season.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(rename = "show")]
    shows: Vec<Show>,
}

/// All shows of the season.
///
/// # Errors
/// A file of the season is not valid.
pub(super) fn shows() -> anyhow::Result<Vec<Show>> {
    let mut shows = Vec::new();
    for (name, text) in FILES {
        let file: File = toml::from_str(text).with_context(|| format!("season/{name} is not valid"))?;
        shows.extend(file.shows);
    }
    Ok(shows)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_field_that_shows_do_not_have_is_refused() {
        for (name, text) in FILES {
            assert!(toml::from_str::<File>(text).is_ok(), "{name}");
            let error = toml::from_str::<File>(&format!("{text}\n[[show]]\nvenue = \"서울\"\n")).unwrap_err();
            assert!(error.to_string().contains("unknown field"), "{name}: {error}");
        }
    }
}
