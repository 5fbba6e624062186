//! The pictures that a poster can have, and the space that each leaves for the title.

use serde::Deserialize;

use super::dice::Dice;
use super::palette::Palette;
use super::text::TEXT_WIDTH;
use super::{nature, objects, patterns, stage};

/// A picture.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq, Hash)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Scene {
    /// A drawn theatre curtain with a pool of light.
    Curtain,
    /// Beams over a crowd.
    Spotlights,
    /// Neon bars of sound.
    Equalizer,
    /// A neon floor running to the horizon.
    Arena,
    /// Swell under a low sun.
    Waves,
    /// A moon over a city.
    Skyline,
    /// A night of stars over hills.
    Stars,
    /// Rows of mountains, with a red sun.
    Peaks,
    /// Hills, sun and balloons.
    Meadow,
    /// A record.
    Vinyl,
    /// Piano keys.
    Keys,
    /// A silk ribbon.
    Ribbon,
    /// A flower.
    Bloom,
    /// Tiles of quarter circles.
    Tiles,
    /// Nested arches.
    Arches,
    /// Rays.
    Sunburst,
    /// Lights out of focus.
    Bokeh,
}

/// The position of the title.
#[derive(Clone, Copy, Debug)]
pub(super) enum Anchor {
    Top,
    Middle,
    Bottom,
}

/// The space that a picture leaves for the title.
pub(super) struct Layout {
    pub(super) anchor: Anchor,
    pub(super) title_width: f64,
    pub(super) title_height: f64,
    pub(super) centred: bool,
}

impl Scene {
    pub(super) fn layout(self) -> Layout {
        let (anchor, title_height, centred) = match self {
            Self::Curtain | Self::Sunburst => (Anchor::Middle, 280.0, true),
            Self::Spotlights => (Anchor::Middle, 280.0, false),
            Self::Waves | Self::Peaks | Self::Meadow | Self::Keys => (Anchor::Top, 220.0, false),
            Self::Stars => (Anchor::Top, 260.0, true),
            Self::Skyline
            | Self::Equalizer
            | Self::Arena
            | Self::Vinyl
            | Self::Ribbon
            | Self::Tiles
            | Self::Bokeh => (Anchor::Bottom, 220.0, false),
            Self::Bloom | Self::Arches => (Anchor::Bottom, 200.0, true),
        };
        let title_width = if self == Self::Sunburst { 392.0 } else { TEXT_WIDTH };
        Layout { anchor, title_width, title_height, centred }
    }

    /// The picture as SVG. `name` seeds its variations.
    pub(super) fn draw(self, palette: &Palette, name: &str) -> String {
        let dice = &mut Dice::of(name);
        match self {
            Self::Curtain => stage::curtain(palette),
            Self::Spotlights => stage::spotlights(palette, dice),
            Self::Equalizer => stage::equalizer(palette, dice),
            Self::Arena => stage::arena(palette),
            Self::Waves => nature::waves(palette, dice),
            Self::Skyline => nature::skyline(palette, dice),
            Self::Stars => nature::stars(palette, dice),
            Self::Peaks => nature::peaks(palette, dice),
            Self::Meadow => nature::meadow(palette, dice),
            Self::Vinyl => objects::vinyl(palette),
            Self::Keys => objects::keys(palette),
            Self::Ribbon => objects::ribbon(palette, dice),
            Self::Bloom => objects::bloom(palette, dice),
            Self::Tiles => patterns::tiles(palette, dice),
            Self::Arches => patterns::arches(palette),
            Self::Sunburst => patterns::sunburst(palette),
            Self::Bokeh => patterns::bokeh(palette, dice),
        }
    }
}
