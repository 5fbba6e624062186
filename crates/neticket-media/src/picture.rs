//! What happens to an uploaded file: its type is detected, its dimensions are checked before it is decoded,
//! and it is decoded, turned upright, shrunk to the two sizes in which images are stored, and encoded anew.
//! No byte of the file itself is kept, so nothing that is hidden in it is kept either.

use std::io::Cursor;

use image::codecs::jpeg::JpegEncoder;
use image::codecs::webp::WebPEncoder;
use image::imageops::FilterType;
use image::metadata::Orientation;
use image::{
    DynamicImage, ExtendedColorType, ImageDecoder as _, ImageError, ImageFormat as Codec, ImageReader,
    ImageResult, Limits, Rgba, RgbaImage,
};

use crate::key::ImageFormat;

/// The full size fits a square of this side, in pixels.
pub const FULL_SIDE_MAX: u32 = 1600;
/// The card fits a square of this side, in pixels.
pub const CARD_SIDE_MAX: u32 = 640;
/// Most pixels, width times height, that are decoded.
pub const PIXELS_MAX: u64 = 50_000_000;
/// The longest side that is decoded, in pixels: the longest that a JPEG can have.
const SIDE_MAX: u32 = 65_535;
/// Most memory for decoded pixels, in bytes: four channels of 16 bits each.
const DECODED_LEN_MAX: u64 = PIXELS_MAX * 8;
/// Most memory that a decoder may allocate in all, in bytes. The decoders of JPEG and GIF need a copy of all
/// pixels beside the result.
const DECODER_LEN_MAX: u64 = 2 * DECODED_LEN_MAX;
/// JPEG quality, of 100. Above this value, files grow more than the images improve.
const JPEG_QUALITY: u8 = 82;
/// The accepted formats, detected by the first bytes of the content.
const TAKEN: [Codec; 4] = [Codec::Jpeg, Codec::Png, Codec::WebP, Codec::Gif];

/// Why a file is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    #[error("the file is not a JPEG, PNG, WebP or GIF image")]
    UnsupportedType,
    #[error("the file is damaged or incomplete")]
    Invalid,
    #[error("the image has too many pixels")]
    TooManyPixels,
}

/// An uploaded image, ready to be stored.
#[derive(Debug)]
pub struct Picture {
    pub(crate) format: ImageFormat,
    pub(crate) full: Vec<u8>,
    pub(crate) card: Vec<u8>,
    pub(crate) width: u32,
    pub(crate) height: u32,
}

impl Picture {
    /// Decodes `file` and encodes it anew. Takes seconds of processor time and hundreds of megabytes for the
    /// largest images.
    pub(crate) fn read(file: &[u8]) -> Result<Self, Refused> {
        let (image, orientation) = decode(file)?;
        let (image, transparent) = premultiplied(image);
        // Shrunk first, because turning an image copies it.
        let mut full = shrunk(image, FULL_SIDE_MAX);
        full.apply_orientation(orientation);
        let (width, height) = (full.width(), full.height());
        let card = shrunk(full.clone(), CARD_SIDE_MAX);
        let format = if transparent { ImageFormat::Webp } else { ImageFormat::Jpg };
        let encode = if transparent { encode_webp } else { encode_jpeg };
        // Writing to memory cannot fail, so an error means that the encoder refuses the image.
        let (full, card) =
            (encode(full).map_err(|error| refusal(&error))?, encode(card).map_err(|error| refusal(&error))?);
        Ok(Self { format, full, card, width, height })
    }
}

fn refusal(error: &ImageError) -> Refused {
    match error {
        ImageError::Limits(_) => Refused::TooManyPixels,
        _ => Refused::Invalid,
    }
}

/// The pixels as they are in the file (the first frame of an animation), and how the image has to be turned.
fn decode(file: &[u8]) -> Result<(DynamicImage, Orientation), Refused> {
    let codec = image::guess_format(file).ok().filter(|codec| TAKEN.contains(codec));
    let codec = codec.ok_or(Refused::UnsupportedType)?;
    if codec == Codec::Jpeg && !is_whole_jpeg(file) {
        return Err(Refused::Invalid);
    }
    let mut limits = Limits::no_limits();
    limits.max_alloc = Some(DECODER_LEN_MAX);
    let mut reader = ImageReader::with_format(Cursor::new(file), codec);
    reader.limits(limits);
    let mut decoder = reader.into_decoder().map_err(|error| refusal(&error))?;
    let (width, height) = decoder.dimensions();
    if u64::from(width) * u64::from(height) > PIXELS_MAX
        || width.max(height) > SIDE_MAX
        || decoder.total_bytes() > DECODED_LEN_MAX
    {
        return Err(Refused::TooManyPixels);
    }
    // If the metadata cannot be read, the image is not turned.
    let orientation = decoder.orientation().unwrap_or(Orientation::NoTransforms);
    Ok((DynamicImage::from_decoder(decoder).map_err(|error| refusal(&error))?, orientation))
}

/// Whether a JPEG has its end marker. If it is truncated, the decoder fills the rest with grey and reports no
/// error.
fn is_whole_jpeg(file: &[u8]) -> bool {
    const RESTARTS: std::ops::RangeInclusive<u8> = 0xd0..=0xd7;
    let mut rest = file.get(2..).unwrap_or_default();
    loop {
        let Some(at) = rest.iter().position(|byte| *byte == 0xff) else { return false };
        rest = &rest[at + 1..];
        match rest {
            [0xd9, ..] => return true,
            [0xff, ..] => {}
            // In entropy-coded data, 0xff is followed by zero or by a restart marker.
            [marker, after @ ..] if matches!(marker, 0x00 | 0x01) || RESTARTS.contains(marker) => {
                rest = after;
            }
            // A segment states its length. It is skipped, because it may contain a thumbnail with an end
            // marker of its own.
            [_, high, low, ..] => {
                let len = usize::from(u16::from_be_bytes([*high, *low]));
                rest = rest.get(1 + len..).unwrap_or_default();
            }
            _ => return false,
        }
    }
}

/// The image with its colours multiplied by their opacity, so that the colours of invisible pixels do not
/// affect their neighbours when it is shrunk; and whether any pixel is transparent.
fn premultiplied(image: DynamicImage) -> (DynamicImage, bool) {
    if !image.color().has_alpha() {
        return (image, false);
    }
    let mut pixels = image.into_rgba8();
    let transparent = pixels.pixels().any(|pixel| pixel.0[3] != u8::MAX);
    if transparent {
        for Rgba([r, g, b, alpha]) in pixels.pixels_mut() {
            for colour in [r, g, b] {
                *colour = rounded(u32::from(*colour) * u32::from(*alpha), u8::MAX.into());
            }
        }
    }
    (DynamicImage::ImageRgba8(pixels), transparent)
}

/// The colours as they were before [`premultiplied`]. Invisible pixels become black.
fn straightened(image: DynamicImage) -> RgbaImage {
    let mut pixels = image.into_rgba8();
    for Rgba([r, g, b, alpha]) in pixels.pixels_mut() {
        for colour in [r, g, b] {
            *colour = rounded(u32::from(*colour) * u32::from(u8::MAX), u32::from(*alpha).max(1));
        }
    }
    pixels
}

fn rounded(dividend: u32, divisor: u32) -> u8 {
    u8::try_from((dividend + divisor / 2) / divisor).unwrap_or(u8::MAX)
}

/// `image`, shrunk to fit a square of `side_max` pixels. Never enlarged.
fn shrunk(image: DynamicImage, side_max: u32) -> DynamicImage {
    let (width, height) = fit(image.width(), image.height(), side_max);
    if (width, height) == (image.width(), image.height()) {
        return image;
    }
    // First shrunk to twice the size by averaging, because the better filter needs 16 bytes for every source
    // pixel.
    let (roughly_wide, roughly_high) = (2 * width, 2 * height);
    let rough = if image.width() > roughly_wide && image.height() > roughly_high {
        image.thumbnail_exact(roughly_wide, roughly_high)
    } else if image.width() > roughly_wide {
        image.thumbnail_exact(roughly_wide, image.height())
    } else if image.height() > roughly_high {
        image.thumbnail_exact(image.width(), roughly_high)
    } else {
        image
    };
    rough.resize_exact(width, height, FilterType::CatmullRom)
}

fn fit(width: u32, height: u32, side_max: u32) -> (u32, u32) {
    let longest = width.max(height);
    if longest <= side_max {
        return (width, height);
    }
    let scaled = |side: u32| {
        let rounded = (u64::from(side) * u64::from(side_max) + u64::from(longest) / 2) / u64::from(longest);
        u32::try_from(rounded).unwrap_or(side_max).max(1)
    };
    (scaled(width), scaled(height))
}

fn encode_jpeg(image: DynamicImage) -> ImageResult<Vec<u8>> {
    let mut bytes = Vec::new();
    JpegEncoder::new_with_quality(&mut bytes, JPEG_QUALITY).encode_image(&image.into_rgb8())?;
    Ok(bytes)
}

fn encode_webp(image: DynamicImage) -> ImageResult<Vec<u8>> {
    let (width, height) = (image.width(), image.height());
    let mut bytes = Vec::new();
    WebPEncoder::new_lossless(&mut bytes).encode(
        &straightened(image),
        width,
        height,
        ExtendedColorType::Rgba8,
    )?;
    Ok(bytes)
}

#[cfg(test)]
#[path = "picture_tests.rs"]
mod tests;
