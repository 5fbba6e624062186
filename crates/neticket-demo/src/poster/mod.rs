//! Draws the posters of the demo season as SVG, 600 × 800. Each is made of a scene, a palette and a typeface.
//!
//! A poster depends only on its show, so the same season always looks the same. It contains no scripts, no
//! embedded fonts and no links: only shapes, gradients, and text in the fonts that the reader has.

mod dice;
mod nature;
mod objects;
mod palette;
mod patterns;
mod scene;
mod stage;
mod text;

use serde::Deserialize;

use palette::Palette;
use scene::{Anchor, Scene};
#[cfg(test)]
pub(super) use text::width_em;
use text::{Face, MARGIN, Typeset, escape};

/// The width of a poster, in SVG units.
const WIDTH: f64 = 600.0;
/// The height of a poster, in SVG units.
const HEIGHT: f64 = 800.0;

/// The look of a show's poster.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Design {
    scene: Scene,
    palette: Palette,
    face: Face,
    /// The small line at the top: the genre of the show.
    genre: String,
    /// The line next to the title: who plays, or what the show is about.
    byline: String,
}

/// Draws the poster of `title`. `date` and `place` are at the bottom.
pub(super) fn draw(design: &Design, title: &str, date: &str, place: &str) -> String {
    let Palette { ground, ground_low, .. } = design.palette;
    let picture = design.scene.draw(&design.palette, title);
    let words = words(design, title, date, place);
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 600 800\" width=\"600\" height=\"800\" role=\"img\">\
         <title>{name}</title><defs><linearGradient id=\"ground\" x1=\"0\" y1=\"0\" x2=\"0\" y2=\"1\">\
         <stop stop-color=\"{ground}\"/><stop offset=\"1\" stop-color=\"{ground_low}\"/></linearGradient></defs>\
         <rect width=\"600\" height=\"800\" fill=\"url(#ground)\"/>{picture}{words}</svg>",
        name = escape(title),
    )
}

/// All text of the poster: head line, title, byline, date and place.
fn words(design: &Design, title: &str, date: &str, place: &str) -> String {
    let Palette { ink, accent, .. } = design.palette;
    let layout = design.scene.layout();
    let typeset = Typeset::fit(title, layout.title_width, layout.title_height);
    let block = typeset.height() + 44.0;
    let first_baseline = typeset.size()
        + match layout.anchor {
            Anchor::Top => 118.0,
            Anchor::Middle => (HEIGHT - block) / 2.0 - 20.0,
            Anchor::Bottom => 668.0 - block,
        };
    let (x, text_anchor) = if layout.centred { (WIDTH / 2.0, "middle") } else { (MARGIN, "start") };
    let lines = typeset.svg_lines(x, first_baseline);
    let byline_y = first_baseline + typeset.height() - typeset.line_height() + 50.0;
    let size = typeset.size();
    let Face { family, weight } = design.face;
    let sans = Face::SANS.family;
    let genre = escape(&design.genre);
    let byline = escape(&design.byline);
    let place_size = text::size_that_fits(place, text::TEXT_WIDTH, 21.0);
    let byline_size = text::size_that_fits(&design.byline, layout.title_width, 23.0);
    let rule = if layout.centred { "M270 702h60" } else { "M48 702h60" };
    format!(
        "<g fill=\"{ink}\" text-anchor=\"{text_anchor}\" font-family=\"{sans}\">\
         <text x=\"{x}\" y=\"74\" font-size=\"19\" font-weight=\"600\" letter-spacing=\"4\" fill=\"{accent}\">{genre}</text>\
         <text font-family=\"{family}\" font-weight=\"{weight}\" font-size=\"{size:.1}\" letter-spacing=\"-1\">{lines}</text>\
         <text x=\"{x}\" y=\"{byline_y:.1}\" font-size=\"{byline_size:.1}\" font-weight=\"500\" opacity=\".88\">{byline}</text>\
         <path d=\"{rule}\" stroke=\"{accent}\" stroke-width=\"4\"/>\
         <text x=\"{x}\" y=\"737\" font-size=\"25\" font-weight=\"700\">{date}</text>\
         <text x=\"{x}\" y=\"766\" font-size=\"{place_size:.1}\" opacity=\".86\">{place}</text></g>",
        date = escape(date),
        place = escape(place),
    )
}
