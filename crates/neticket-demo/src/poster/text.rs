//! Typesetting: breaks titles into lines that fit, and keeps all text inside the poster.

use std::fmt::Write as _;

use serde::de::{Deserialize, Deserializer, Error as _};

/// The space on the left and right of all text that stays empty.
pub(super) const MARGIN: f64 = 48.0;
/// The width that text can use.
pub(super) const TEXT_WIDTH: f64 = 600.0 - 2.0 * MARGIN;
const SIZE_MAX: f64 = 96.0;
const LINES_MAX: usize = 4;
/// The distance between baselines, as a multiple of the font size.
const LEADING: f64 = 1.16;

/// A typeface that readers probably have, with fallbacks.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Face {
    pub(super) family: &'static str,
    pub(super) weight: u32,
}

impl Face {
    pub(super) const SANS: Self = Self {
        family: "Pretendard,'Apple SD Gothic Neo','Noto Sans KR','Noto Sans CJK KR','Malgun Gothic',sans-serif",
        weight: 800,
    };
    const BLACK: Self = Self { family: Self::SANS.family, weight: 900 };
    const LIGHT: Self = Self { family: Self::SANS.family, weight: 400 };
    const SERIF: Self = Self {
        family: "'Nanum Myeongjo','Noto Serif KR','Noto Serif CJK KR',AppleMyungjo,Batang,serif",
        weight: 800,
    };
}

impl<'de> Deserialize<'de> for Face {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.try_into().map_err(D::Error::custom)
    }
}

impl TryFrom<String> for Face {
    type Error = String;

    fn try_from(name: String) -> Result<Self, String> {
        match name.as_str() {
            "sans" => Ok(Self::SANS),
            "black" => Ok(Self::BLACK),
            "light" => Ok(Self::LIGHT),
            "serif" => Ok(Self::SERIF),
            _ => Err(format!("no typeface has the name {name}")),
        }
    }
}

/// A title that is broken into lines, with the font size that fills its space best.
pub(super) struct Typeset {
    lines: Vec<String>,
    size: f64,
}

impl Typeset {
    /// Finds the largest font size at which `title`, broken at spaces, fits into `width` and `height`.
    pub(super) fn fit(title: &str, width: f64, height: f64) -> Self {
        let words: Vec<&str> = title.split_whitespace().collect();
        let mut best = Self { lines: vec![title.to_owned()], size: 0.0 };
        for lines in breaks(&words) {
            let widest = lines.iter().map(|line| width_em(line)).fold(0.1, f64::max);
            let rows = f64::from(u32::try_from(lines.len()).unwrap_or(1));
            let size = (width / widest).min(height / (rows * LEADING)).min(SIZE_MAX);
            // Another line is only worth it if the text becomes clearly larger.
            if size > best.size * 1.08 {
                best = Self { lines, size };
            }
        }
        best
    }

    pub(super) fn size(&self) -> f64 {
        self.size
    }

    pub(super) fn line_height(&self) -> f64 {
        self.size * LEADING
    }

    pub(super) fn height(&self) -> f64 {
        self.line_height() * f64::from(u32::try_from(self.lines.len()).unwrap_or(1))
    }

    pub(super) fn svg_lines(&self, x: f64, first_baseline: f64) -> String {
        let mut svg = String::new();
        let mut y = first_baseline;
        for line in &self.lines {
            let _ = write!(svg, "<tspan x=\"{x}\" y=\"{y:.1}\">{}</tspan>", escape(line));
            y += self.line_height();
        }
        svg
    }
}

/// All ways to break `words` into at most [`LINES_MAX`] lines. Ways with fewer lines come first.
fn breaks(words: &[&str]) -> Vec<Vec<String>> {
    let gaps = words.len().saturating_sub(1).min(8);
    let mut ways: Vec<Vec<String>> = (0_u32..1 << gaps)
        .map(|mask| {
            let mut lines = vec![String::new()];
            for (place, word) in words.iter().enumerate() {
                if place > 0 && mask >> (place - 1).min(gaps) & 1 == 1 {
                    lines.push(String::new());
                }
                if let Some(line) = lines.last_mut() {
                    if !line.is_empty() {
                        line.push(' ');
                    }
                    line.push_str(word);
                }
            }
            lines
        })
        .filter(|lines| lines.len() <= LINES_MAX)
        .collect();
    ways.sort_by_key(Vec::len);
    ways
}

/// `size`, or the smaller size at which `text` fits into one line of `width`.
pub(super) fn size_that_fits(text: &str, width: f64, size: f64) -> f64 {
    size.min(width / width_em(text).max(0.1))
}

/// The approximate width of `text`, as a multiple of the font size. It errs on the wide side, because fonts
/// differ.
pub(crate) fn width_em(text: &str) -> f64 {
    text.chars()
        .map(|c| match c {
            ' ' => 0.3,
            'i' | 'l' | 'j' | 'I' | '.' | ',' | ':' | '\'' | '!' | '|' | '·' => 0.36,
            'm' | 'w' | 'M' | 'W' | '@' | '%' => 0.95,
            'A'..='Z' | '&' | '?' => 0.74,
            '0'..='9' => 0.63,
            c if c.is_ascii() => 0.6,
            _ => 0.97,
        })
        .sum()
}

/// Escapes `text` for XML.
pub(super) fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_title_wraps_at_spaces_into_lines_that_fit() {
        for title in [
            "달",
            "겨울 밤의 서울",
            "아주 긴 제목을 가진 어느 작은 극장의 마지막 공연",
            "SEOUL INTERNATIONAL JAZZ FESTIVAL",
        ] {
            let typeset = Typeset::fit(title, TEXT_WIDTH, 300.0);
            assert_eq!(typeset.lines.join(" "), title);
            assert!(typeset.height() <= 300.1, "{title}");
            assert!(
                typeset.lines.iter().all(|line| width_em(line) * typeset.size <= TEXT_WIDTH + 0.1),
                "{title}"
            );
        }
    }

    #[test]
    fn text_is_escaped_as_markup() {
        assert_eq!(escape("<b a=\"1\">&"), "&lt;b a=&quot;1&quot;&gt;&amp;");
    }
}
