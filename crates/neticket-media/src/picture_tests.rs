//! Files that are valid, files that are not what they claim to be, and files that would do harm.

use image::codecs::gif::GifEncoder;
use image::{Frame, GenericImageView as _, GrayImage, Rgb, RgbImage};

use super::*;

const RED: [u8; 3] = [200, 0, 0];
const BLUE: [u8; 3] = [0, 0, 200];

/// Left half red, right half blue.
fn halves(width: u32, height: u32) -> RgbImage {
    RgbImage::from_fn(width, height, |x, _| Rgb(if x < width / 2 { RED } else { BLUE }))
}

fn encoded(image: impl Into<DynamicImage>, codec: Codec) -> Vec<u8> {
    let mut file = Cursor::new(Vec::new());
    image.into().write_to(&mut file, codec).unwrap();
    file.into_inner()
}

fn jpeg(width: u32, height: u32) -> Vec<u8> {
    encoded(halves(width, height), Codec::Jpeg)
}

/// `file` with this Exif data in front of everything else.
fn with_exif(file: &[u8], tiff: &[u8]) -> Vec<u8> {
    let len = u16::try_from(2 + 6 + tiff.len()).unwrap();
    let mut with = vec![0xff, 0xd8, 0xff, 0xe1];
    with.extend_from_slice(&len.to_be_bytes());
    with.extend_from_slice(b"Exif\0\0");
    with.extend_from_slice(tiff);
    with.extend_from_slice(&file[2..]);
    with
}

/// A TIFF directory with one entry, the orientation, followed by a location.
fn turned_and_at_a_place(orientation: u8) -> Vec<u8> {
    let mut tiff = b"II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0".to_vec();
    tiff.extend_from_slice(&[orientation, 0, 0, 0, 0, 0, 0, 0]);
    tiff.extend_from_slice(b"GPS 37.5665 126.9780 of a home");
    tiff
}

/// A PNG of this size that contains almost no data.
fn hollow_png(width: u32, height: u32) -> Vec<u8> {
    let mut header = Vec::new();
    header.extend_from_slice(&width.to_be_bytes());
    header.extend_from_slice(&height.to_be_bytes());
    header.extend_from_slice(&[8, 6, 0, 0, 0]);
    let mut file = b"\x89PNG\r\n\x1a\n".to_vec();
    for (name, data) in [(b"IHDR", header.as_slice()), (b"IDAT", b"\x78\x9c\x03\0\0\0\0\x01"), (b"IEND", b"")]
    {
        file.extend_from_slice(&u32::try_from(data.len()).unwrap().to_be_bytes());
        let named = [name.as_slice(), data].concat();
        file.extend_from_slice(&named);
        file.extend_from_slice(&crc32(&named).to_be_bytes());
    }
    file
}

fn crc32(data: &[u8]) -> u32 {
    !data.iter().fold(!0_u32, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| (crc >> 1) ^ (0xedb8_8320 * (crc & 1)))
    })
}

fn decoded(bytes: &[u8]) -> DynamicImage {
    image::load_from_memory(bytes).unwrap()
}

/// Whether a pixel has nearly this colour, because JPEG is not exact.
fn is_near(image: &DynamicImage, x: u32, y: u32, colour: [u8; 3]) -> bool {
    let pixel = image.get_pixel(x, y).0;
    (0..3).all(|channel| pixel[channel].abs_diff(colour[channel]) < 40)
}

fn contains(bytes: &[u8], part: &[u8]) -> bool {
    bytes.windows(part.len()).any(|window| window == part)
}

#[test]
fn every_accepted_type_becomes_a_jpeg_in_two_sizes() {
    let image = halves(2000, 1000);
    for codec in TAKEN {
        let picture = Picture::read(&encoded(image.clone(), codec)).unwrap();
        assert_eq!(picture.format, ImageFormat::Jpg, "{codec:?}");
        assert_eq!((picture.width, picture.height), (1600, 800));
        let (full, card) = (decoded(&picture.full), decoded(&picture.card));
        assert_eq!((full.dimensions(), card.dimensions()), ((1600, 800), (640, 320)));
        for shown in [full, card] {
            assert!(
                is_near(&shown, 10, 10, RED) && is_near(&shown, shown.width() - 10, 10, BLUE),
                "{codec:?}"
            );
        }
        assert_eq!(image::guess_format(&picture.full).unwrap(), Codec::Jpeg);
        assert!(picture.card.len() < picture.full.len());
    }
}

#[test]
fn a_small_image_is_not_enlarged_and_a_thin_image_keeps_a_pixel() {
    let picture = Picture::read(&jpeg(33, 20)).unwrap();
    assert_eq!((picture.width, picture.height), (33, 20));
    assert_eq!(decoded(&picture.card).dimensions(), (33, 20));
    let picture = Picture::read(&jpeg(6000, 2)).unwrap();
    assert_eq!((picture.width, picture.height), (1600, 1));
    assert_eq!(fit(640, 640, 640), (640, 640));
    assert_eq!(fit(641, 640, 640), (640, 639));
}

#[test]
fn a_file_of_an_unsupported_type_is_refused_by_its_content() {
    for file in [
        &b""[..],
        b"MZ\x90\0\x03\0\0\0\x04\0\0\0\xff\xff\0\0 renamed to poster.jpg",
        b"<svg xmlns=\"http://www.w3.org/2000/svg\" onload=\"alert(1)\"/>",
        b"<!doctype html><script>alert(1)</script>",
        b"%PDF-1.7",
        b"BM\x46\0\0\0\0\0\0\0\x36\0\0\0\x28\0\0\0",
        b"II*\0\x08\0\0\0",
        b"\0\0\0\x20ftypavif\0\0\0\0avifmif1miaf",
    ] {
        assert_eq!(Picture::read(file).unwrap_err(), Refused::UnsupportedType, "{file:?}");
    }
}

#[test]
fn an_image_that_contains_a_script_loses_it() {
    let script = b"<script>alert(1)</script>";
    assert_eq!(
        Picture::read(b"GIF89a\x05\0\x05\0\0\0\0<script>alert(1)</script>").unwrap_err(),
        Refused::Invalid
    );
    for codec in TAKEN {
        let mut file = encoded(halves(40, 20), codec);
        file.extend_from_slice(script);
        let picture = Picture::read(&file).unwrap();
        assert!(!contains(&picture.full, script) && !contains(&picture.card, script), "{codec:?}");
    }
}

#[test]
fn a_picture_loses_its_location_and_keeps_its_orientation() {
    let file = with_exif(&jpeg(40, 20), &turned_and_at_a_place(6));
    assert!(contains(&file, b"GPS"));
    let picture = Picture::read(&file).unwrap();
    assert_eq!((picture.width, picture.height), (20, 40));
    let upright = decoded(&picture.full);
    assert!(is_near(&upright, 10, 3, RED) && is_near(&upright, 10, 36, BLUE));
    for bytes in [&picture.full, &picture.card] {
        assert!(!contains(bytes, b"GPS") && !contains(bytes, b"Exif"));
    }
    let broken = with_exif(&jpeg(40, 20), b"II*\0\xff\xff\xff\xff");
    assert_eq!(Picture::read(&broken).unwrap().width, 40);
}

#[test]
fn an_animation_becomes_its_first_frame() {
    let mut file = Vec::new();
    let mut encoder = GifEncoder::new(&mut file);
    for colour in [RED, BLUE] {
        let frame = RgbImage::from_pixel(30, 30, Rgb(colour));
        encoder.encode_frame(Frame::new(DynamicImage::from(frame).into_rgba8())).unwrap();
    }
    drop(encoder);
    assert!(is_near(&decoded(&Picture::read(&file).unwrap().full), 15, 15, RED));
}

#[test]
fn transparency_is_kept_and_transparent_pixels_do_not_bleed() {
    let image =
        RgbaImage::from_fn(1700, 40, |x, _| Rgba(if x < 850 { [0, 0, 0, 255] } else { [255, 255, 255, 0] }));
    let picture = Picture::read(&encoded(image, Codec::Png)).unwrap();
    assert_eq!(picture.format, ImageFormat::Webp);
    for bytes in [&picture.full, &picture.card] {
        let shown = decoded(bytes).into_rgba8();
        assert_eq!((shown.get_pixel(2, 2).0[3], shown.get_pixel(shown.width() - 3, 2).0[3]), (255, 0));
        let brightest = shown.pixels().filter(|pixel| pixel.0[3] > 0).map(|pixel| pixel.0[0]).max();
        assert_eq!(brightest, Some(0));
    }
    let opaque = RgbaImage::from_pixel(20, 20, Rgba([9, 9, 9, 255]));
    assert_eq!(Picture::read(&encoded(opaque, Codec::Png)).unwrap().format, ImageFormat::Jpg);
}

#[test]
fn a_decompression_bomb_is_refused_before_it_is_decoded() {
    let bomb = hollow_png(60_000, 60_000);
    assert!(bomb.len() < 100);
    let started = std::time::Instant::now();
    assert_eq!(Picture::read(&bomb).unwrap_err(), Refused::TooManyPixels);
    assert_eq!(Picture::read(&hollow_png(1_000_000, 1)).unwrap_err(), Refused::TooManyPixels);
    assert_eq!(Picture::read(&hollow_png(u32::MAX >> 1, u32::MAX >> 1)).unwrap_err(), Refused::TooManyPixels);
    assert!(started.elapsed() < std::time::Duration::from_secs(1));
    assert_eq!(
        Picture::read(&hollow_png(40, 40)).unwrap_err(),
        Refused::Invalid,
        "only the size was the reason"
    );
}

#[test]
fn fifty_megapixels_are_accepted_and_one_row_more_is_not() {
    let flat = |width, height| encoded(GrayImage::new(width, height), Codec::Png);
    let picture = Picture::read(&flat(10_000, 5_000)).unwrap();
    assert_eq!((picture.width, picture.height), (1600, 800));
    assert_eq!(Picture::read(&flat(10_000, 5_001)).unwrap_err(), Refused::TooManyPixels);
}

#[test]
fn a_truncated_file_is_refused_wherever_it_ends() {
    // A picture with detail, so that missing data is noticed. The end marker of a thumbnail is not the end of
    // the file.
    let detailed = RgbImage::from_fn(200, 100, |x, y| Rgb([(x * 7 + y * 13).to_le_bytes()[0], 0, 99]));
    for codec in TAKEN {
        let file = encoded(detailed.clone(), codec);
        let file = if codec == Codec::Jpeg { with_exif(&file, b"\xff\xd8\xff\xd9") } else { file };
        Picture::read(&file).unwrap();
        for part in [30, file.len() / 2, file.len() * 9 / 10] {
            let refused = Picture::read(&file[..part]).unwrap_err();
            assert_eq!(refused, Refused::Invalid, "{codec:?} after {part} of {}", file.len());
        }
    }
}

#[test]
fn a_whole_jpeg_is_recognised_whatever_follows_it() {
    let file = jpeg(60, 40);
    assert!(is_whole_jpeg(&file));
    assert!(is_whole_jpeg(&[file.as_slice(), &[0; 100]].concat()));
    assert!(!is_whole_jpeg(&file[..file.len() - 1]));
    for file in
        [&b""[..], b"\xff\xd8", b"\xff\xd8\xff", b"\xff\xd8\xff\xe1", b"\xff\xd8\xff\xe1\xff\xff\xff\xd9"]
    {
        assert!(!is_whole_jpeg(file), "{file:?}");
    }
}
