//! A QR code as the path of an SVG.

use std::fmt::Write as _;

use qrcodegen::{QrCode, QrCodeEcc};

/// Width of the empty margin around the code, in modules (ISO/IEC 18004).
const QUIET: i32 = 4;

/// A drawn code.
pub(crate) struct Drawing {
    /// The side of the square in modules, including its margin.
    pub(crate) side: i32,
    /// The `d` attribute of an SVG path that fills the dark modules.
    pub(crate) path: String,
}

/// Draws `text`. `None` if it is too long for any code.
pub(crate) fn draw(text: &str) -> Option<Drawing> {
    let code = QrCode::encode_text(text, QrCodeEcc::Medium).ok()?;
    let mut path = String::new();
    for y in 0..code.size() {
        let mut x = 0;
        while x < code.size() {
            let start = x;
            while x < code.size() && code.get_module(x, y) {
                x += 1;
            }
            if x > start {
                // Writing to a string cannot fail.
                let _ = write!(path, "M{} {}h{}v1h-{}z", start + QUIET, y + QUIET, x - start, x - start);
            }
            x += 1;
        }
    }
    Some(Drawing { side: code.size() + 2 * QUIET, path })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reservation_number_fits_into_a_small_qr_code() {
        let drawing = draw("67E55044-10B1-426F-9247-BB680E5FE0C8").unwrap();
        // Version 2 has 25 modules a side.
        assert_eq!(drawing.side, 25 + 2 * QUIET);
        // The finder pattern's upper edge: seven dark modules in the first row.
        assert!(drawing.path.starts_with("M4 4h7v1h-7z"), "{}", drawing.path);
    }

    #[test]
    fn a_text_that_fits_into_no_qr_code_is_not_drawn() {
        assert!(draw(&"x".repeat(5_000)).is_none());
    }
}
