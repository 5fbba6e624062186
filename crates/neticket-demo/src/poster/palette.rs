//! Colours that go together. Text is drawn in `ink` on `ground` or `ground_low`, so each of these pairs has a
//! contrast of at least 4.5.

use serde::de::{Deserialize, Deserializer, Error as _};

/// The colours of one poster.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Palette {
    /// The background at the top.
    pub(super) ground: &'static str,
    /// The background at the bottom.
    pub(super) ground_low: &'static str,
    /// Shapes in the background.
    pub(super) far: &'static str,
    /// Shapes in the foreground.
    pub(super) near: &'static str,
    /// Highlights and lights.
    pub(super) accent: &'static str,
    /// Text.
    pub(super) ink: &'static str,
}

macro_rules! palettes {
    ($($name:ident: $ground:literal $ground_low:literal $far:literal $near:literal $accent:literal $ink:literal;)*) => {
        $(const $name: Palette = Palette {
            ground: $ground, ground_low: $ground_low, far: $far, near: $near, accent: $accent, ink: $ink,
        };)*
        const ALL: &[(&str, Palette)] = &[$((stringify!($name), $name)),*];
    };
}

palettes! {
    // name      ground    low       far       near      accent    ink
    MIDNIGHT:   "#101b4d" "#070b22" "#2f4bb5" "#6d8bff" "#ffd166" "#f7f5ff";
    WINE:       "#4a0d1e" "#18040a" "#8d1f36" "#d2485a" "#f5c27a" "#fff4e8";
    FOREST:     "#0d3b33" "#041612" "#1f6b58" "#48a888" "#f0c75e" "#f1fbf4";
    SUNSET:     "#46125f" "#1c0730" "#b8346f" "#ff7a59" "#ffc46b" "#fff3ea";
    SEA:        "#0a4567" "#041a2b" "#1580ac" "#4cc3dd" "#ffd97a" "#eefaff";
    NEON:       "#160a33" "#08031a" "#7a1fd1" "#ff3d9a" "#2ee6ff" "#fbf7ff";
    EMBER:      "#3a120a" "#140503" "#a63a17" "#f2762e" "#ffd089" "#fff5ec";
    PLUM:       "#321441" "#120619" "#6f3391" "#b87ae0" "#ffc9dd" "#fbf3ff";
    STEEL:      "#1f2a37" "#0b1016" "#40576f" "#8fa9c2" "#ff6b5e" "#f3f7fb";
    JADE:       "#08353a" "#031517" "#137a74" "#3fcab0" "#ff9f80" "#effdfa";
    INK:        "#1b1b1f" "#08080a" "#3d3d45" "#8b8b96" "#e15561" "#fafafa";
    PAPER:      "#f7f1e5" "#efe4cf" "#d9b48a" "#c8553d" "#9a3a26" "#2a211c";
    BLOSSOM:    "#fdebee" "#f9d5dc" "#f3a6b8" "#e0607e" "#a92c50" "#43152a";
    SKY:        "#cfeefd" "#fdf3d6" "#8fd3f4" "#59b368" "#b3361f" "#14324a";
    MINT:       "#e2f6ea" "#c9ebda" "#86cfae" "#2f9e7c" "#0e6a51" "#0f3329";
    LEMON:      "#fff3c4" "#ffe08a" "#ffc145" "#f08a24" "#9c3d07" "#3b2406";
    LILAC:      "#ece7fb" "#d8cdf5" "#b4a0ea" "#7a5cd0" "#5b3bb5" "#241a48";
    CLAY:       "#f3e3d7" "#e6c7b1" "#cf8e6d" "#8d4a36" "#7a3323" "#33170f";
}

impl<'de> Deserialize<'de> for Palette {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.try_into().map_err(D::Error::custom)
    }
}

impl TryFrom<String> for Palette {
    type Error = String;

    fn try_from(name: String) -> Result<Self, String> {
        let found = ALL.iter().find(|(other, _)| other.eq_ignore_ascii_case(&name));
        found.map(|(_, palette)| *palette).ok_or_else(|| format!("no palette has the name {name}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Relative luminance (WCAG 2.2) of `#rrggbb`.
    fn luminance(colour: &str) -> f64 {
        let channel = |from: usize| {
            let part = f64::from(u8::from_str_radix(&colour[from..from + 2], 16).unwrap()) / 255.0;
            if part <= 0.04045 { part / 12.92 } else { ((part + 0.055) / 1.055).powf(2.4) }
        };
        0.2126 * channel(1) + 0.7152 * channel(3) + 0.0722 * channel(5)
    }

    fn contrast(one: &str, other: &str) -> f64 {
        let (one, other) = (luminance(one) + 0.05, luminance(other) + 0.05);
        one.max(other) / one.min(other)
    }

    #[test]
    fn text_contrasts_with_the_background() {
        for (name, palette) in ALL {
            assert!(contrast(palette.ink, palette.ground) >= 7.0, "{name}");
            assert!(contrast(palette.ink, palette.ground_low) >= 7.0, "{name}");
            assert!(contrast(palette.accent, palette.ground) >= 4.5, "{name}");
        }
    }
}
