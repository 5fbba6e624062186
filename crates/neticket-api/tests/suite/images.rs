//! How images are uploaded and served.

use neticket_testkit::{Answer, Backends, S3, TestEnv, TestServer, picture};
use reqwest::Method;
use serde_json::json;

const UPLOAD: &str = "/api/v1/admin/images";
const BYTES_MAX: usize = 5 * 1024 * 1024;

/// A part of a multipart form: its headers and its content.
struct Part<'a> {
    head: &'a str,
    content: &'a [u8],
}

const FILE: &str = "form-data; name=\"file\"; filename=\"poster.png\"\r\nContent-Type: image/png";

async fn send(server: &TestServer, token: &str, parts: &[Part<'_>]) -> Answer {
    let mut body = Vec::new();
    for Part { head, content } in parts {
        body.extend_from_slice(format!("--frontier\r\nContent-Disposition: {head}\r\n\r\n").as_bytes());
        body.extend_from_slice(content);
        body.extend_from_slice(b"\r\n");
    }
    body.extend_from_slice(b"--frontier--\r\n");
    send_raw(server, token, "multipart/form-data; boundary=frontier", body).await
}

async fn send_raw(server: &TestServer, token: &str, content_type: &str, body: Vec<u8>) -> Answer {
    let request =
        server.request(Method::POST, UPLOAD).bearer_auth(token).header("content-type", content_type);
    Answer::read(request.body(body).send().await.unwrap()).await
}

async fn upload(server: &TestServer, token: &str, file: &[u8]) -> Answer {
    send(server, token, &[Part { head: FILE, content: file }]).await
}

async fn fetch(server: &TestServer, path: &str) -> (Answer, Vec<u8>) {
    let request = server.request(Method::GET, path).header("accept-encoding", "gzip, br");
    let response = request.send().await.unwrap();
    let (status, headers) = (response.status().as_u16(), response.headers().clone());
    let bytes = response.bytes().await.unwrap().to_vec();
    (Answer { status, headers, text: String::from_utf8_lossy(&bytes).into_owned() }, bytes)
}

#[tokio::test(flavor = "multi_thread")]
async fn an_administrator_uploads_an_image_and_everyone_sees_it() {
    let mut env = TestEnv::new(Backends::Embedded).await;
    let server = env.server().await;
    let token = server.admin(1).await.token;
    let answer = upload(&server, &token, &picture(1)).await;
    assert_eq!(answer.status, 201, "{}", answer.text);
    let image = answer.json();
    let key = image["key"].as_str().unwrap().to_owned();
    assert_eq!((image["width"].as_u64(), image["height"].as_u64()), (Some(800), Some(400)));
    assert_eq!(image["url"], format!("/images/{key}"));
    for path in [format!("/images/{key}"), format!("/images/{}", key.replace('.', "-card."))] {
        let (shown, bytes) = fetch(&server, &path).await;
        assert_eq!((shown.status, shown.header("content-type")), (200, "image/jpeg"), "{path}");
        assert_eq!(shown.header("cache-control"), "public, max-age=31536000, immutable");
        assert_eq!(shown.header("x-content-type-options"), "nosniff");
        assert!(shown.header("content-security-policy").contains("sandbox"));
        assert_eq!(shown.header("content-encoding"), "", "images must not be compressed again");
        assert!(bytes.starts_with(&[0xff, 0xd8]));
    }
    assert_eq!(upload(&server, &token, &picture(1)).await.json(), image, "the same image has the same key");
    assert_eq!(fetch(&server, "/images/00112233445566778899aabbccddeeff.jpg").await.0.code(), "not_found");
    env.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_upload_ignores_the_declared_type_and_the_file_name() {
    let mut env = TestEnv::new(Backends::Embedded).await;
    let server = env.server().await;
    let token = server.admin(1).await.token;
    let head = "form-data; name=\"file\"; filename=\"../../index.html\"\r\nContent-Type: text/html";
    let answer = send(&server, &token, &[Part { head, content: &picture(1) }]).await;
    assert_eq!(answer.status, 201, "{}", answer.text);
    let key = answer.json()["key"].as_str().unwrap().to_owned();
    assert_eq!((key.len(), key.split_once('.').map(|(_, format)| format)), (36, Some("jpg")), "{key}");
    for content in [
        &b"<!doctype html><script>alert(1)</script>"[..],
        b"MZ\x90\0",
        b"<svg onload=\"alert(1)\"/>",
        b"hello",
    ] {
        assert_eq!(upload(&server, &token, content).await.code(), "unsupported_media_type");
    }
    for path in ["/images/index.html", "/images/..%2f..%2findex.html"] {
        assert_eq!(fetch(&server, path).await.0.status, 404, "{path}");
    }
    env.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bad_image_or_form_is_refused_with_its_reason() {
    let mut env = TestEnv::new(Backends::Embedded).await;
    let server = env.server().await;
    let token = server.admin(1).await.token;
    let refused = |answer: &Answer, code: &str, field: Option<(&str, &str)>| {
        assert_eq!(answer.code(), code, "{}", answer.text);
        if let Some((field, why)) = field {
            let problem = answer.json();
            assert_eq!(
                (&problem["errors"][0]["field"], &problem["errors"][0]["code"]),
                (&json!(field), &json!(why))
            );
        }
    };
    let whole = picture(1);
    let invalid = "validation_failed";
    refused(
        &upload(&server, &token, &whole[..whole.len() / 2]).await,
        invalid,
        Some(("file", "invalid_image")),
    );
    refused(&upload(&server, &token, b"").await, invalid, Some(("file", "required")));
    refused(&send(&server, &token, &[]).await, invalid, Some(("file", "required")));
    let other = Part { head: "form-data; name=\"title\"", content: b"x" };
    refused(&send(&server, &token, &[other]).await, invalid, Some(("title", "unknown_field")));
    let (one, two) = (Part { head: FILE, content: &whole }, Part { head: FILE, content: &whole });
    refused(&send(&server, &token, &[one, two]).await, invalid, Some(("file", "duplicate_field")));
    let nameless = Part { head: "form-data", content: &whole };
    refused(&send(&server, &token, &[nameless]).await, "malformed_request", None);
    for content_type in ["image/png", "application/json", "multipart/mixed; boundary=frontier", ""] {
        refused(
            &send_raw(&server, &token, content_type, whole.clone()).await,
            "unsupported_media_type",
            None,
        );
    }
    refused(
        &send_raw(&server, &token, "multipart/form-data", whole.clone()).await,
        "malformed_request",
        None,
    );
    let broken_off = format!("--f\r\nContent-Disposition: {FILE}\r\n\r\nhalf").into_bytes();
    refused(
        &send_raw(&server, &token, "multipart/form-data; boundary=f", broken_off).await,
        "malformed_request",
        None,
    );
    env.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn five_mebibytes_are_accepted_and_one_byte_more_is_refused() {
    let mut env = TestEnv::new(Backends::Embedded).await;
    let server = env.server().await;
    let token = server.admin(1).await.token;
    // Bytes after the end of the image count towards the limit, and are removed.
    let mut file = picture(1);
    file.resize(BYTES_MAX, 0);
    assert_eq!(upload(&server, &token, &file).await.status, 201);
    file.push(0);
    assert_eq!(upload(&server, &token, &file).await.code(), "payload_too_large");
    env.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_administrator_cannot_monopolize_the_decoder() {
    let mut env = TestEnv::new(Backends::Embedded).await;
    env.config.rate_limit = true;
    let server = env.server().await;
    let (one, another) = (server.admin(1).await.token, server.admin(2).await.token);
    let limited = 'asking: {
        for _ in 0..40 {
            let answer = upload(&server, &one, b"nothing").await;
            if answer.status == 429 {
                break 'asking answer;
            }
            assert_eq!(answer.status, 415);
        }
        panic!("uploads were never rate-limited");
    };
    assert!(limited.header("retry-after").parse::<u32>().unwrap() >= 1);
    assert_eq!(upload(&server, &another, b"nothing").await.status, 415);
    env.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_image_store_outage_is_reported_and_breaks_nothing_else() {
    let mut env = TestEnv::new(Backends::Embedded).await;
    let s3 = S3::start().await;
    env.config.s3 = Some(s3.options());
    let server = env.server().await;
    let token = server.admin(1).await.token;
    let event = env.event_on_sale(&[1], 1).await;
    let image = upload(&server, &token, &picture(1)).await.json();
    s3.stop();
    let unseen = format!("/images/{}", image["key"].as_str().unwrap());
    for answer in [upload(&server, &token, &picture(2)).await, fetch(&server, &unseen).await.0] {
        assert_eq!((answer.status, answer.code().as_str()), (503, "image_store_unavailable"));
        assert!(answer.header("retry-after").parse::<u32>().unwrap() >= 1);
        assert!(!answer.text.contains("127.0.0.1"), "the inside stays inside: {}", answer.text);
    }
    assert_eq!(server.get(&format!("/api/v1/events/{}", event.id), None).await.status, 200);
    assert_eq!(server.get("/readyz", None).await.status, 200, "booking does not need images");
    env.finish().await;
}
