//! The posters of the season: SVG files in the folder `posters` of this crate, which are compiled into the
//! binary.
//!
//! A poster contains no scripts, no embedded fonts and no links: only shapes, gradients, and text in the
//! fonts that the reader has.

use serde::de::{Deserialize, Deserializer, Error as _};

/// In the files, this is in the place of the show's date, which depends on when the season is created.
const DATE: &str = "{date}";

macro_rules! posters {
    ($($name:literal)*) => {
        /// All posters: the name of the file and its content.
        pub(crate) const POSTERS: &[(&str, &str)] = &[$(($name, include_str!(concat!("../posters/", $name)))),*];
    };
}

posters! {
    "bangja.svg"
    "beethoven-quartets.svg"
    "busan-sea-festival.svg"
    "cello-under-stars.svg"
    "chekhov-on-the-roof.svg"
    "city-pop-1987.svg"
    "cloud-bread-factory.svg"
    "coffee-and-books.svg"
    "deep-sea.svg"
    "dinosaur-expedition.svg"
    "fighting-game-masters.svg"
    "forest-playground.svg"
    "four-in-the-morning.svg"
    "giselle.svg"
    "golmok-record.svg"
    "grand-circus.svg"
    "guitar-and-candles.svg"
    "hamlet-summer.svg"
    "han-river-night-pulse.svg"
    "kairo-zero.svg"
    "kang-isol-busan.svg"
    "kang-isol-seoul.svg"
    "kings-photographer.svg"
    "last-waltz.svg"
    "legend-cup-final.svg"
    "lunabloom.svg"
    "mahler-2.svg"
    "map-of-the-body.svg"
    "mint-bear.svg"
    "moonlight-bakery.svg"
    "moonlight-quartet.svg"
    "night-market.svg"
    "nutcracker.svg"
    "orfeo.svg"
    "organ-in-winter.svg"
    "pansori-simcheong.svg"
    "piano-recital.svg"
    "quiet-table.svg"
    "red-lighthouse.svg"
    "rock-spirit-incheon.svg"
    "sanjo.svg"
    "shadow-theatre.svg"
    "space-station-37.svg"
    "spring-violet.svg"
    "square-city.svg"
    "trot-festival.svg"
    "twelve-witnesses.svg"
    "twenty-second-letter.svg"
    "where-light-passed.svg"
    "winter-swing-party.svg"
}

/// A poster, read by the name of its file.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Poster {
    /// The content of the file.
    template: &'static str,
}

impl Poster {
    /// The poster as SVG, with the date of its show.
    pub(crate) fn with_date(self, date: &str) -> String {
        self.template.replace(DATE, date)
    }
}

impl<'de> Deserialize<'de> for Poster {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.try_into().map_err(D::Error::custom)
    }
}

impl TryFrom<String> for Poster {
    type Error = String;

    fn try_from(name: String) -> Result<Self, String> {
        let found = POSTERS.iter().find(|(other, _)| *other == name);
        found.map(|&(_, template)| Self { template }).ok_or_else(|| format!("no poster is called {name}"))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_file_is_a_poster() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/posters");
        let names =
            std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
        let known = POSTERS.iter().map(|&(name, _)| name.to_owned());
        assert_eq!(names.collect::<BTreeSet<_>>(), known.collect());
    }

    #[test]
    fn every_poster_has_one_place_for_the_date() {
        for (name, template) in POSTERS {
            assert_eq!(template.matches(DATE).count(), 1, "{name}");
        }
    }

    #[test]
    fn a_name_without_a_file_is_refused() {
        assert!(Poster::try_from("no-such-show.svg".to_owned()).is_err());
    }
}
