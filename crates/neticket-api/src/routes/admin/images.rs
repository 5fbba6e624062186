//! The upload of event images: one file in a multipart form. It is read in chunks, and reading stops as soon
//! as the form is too long.

use std::time::Duration;

use actix_multipart::{Field, Multipart, MultipartError};
use actix_web::http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use actix_web::rt::time::timeout;
use actix_web::web::{Data, Payload};
use actix_web::{HttpRequest, HttpResponse};
use futures::StreamExt as _;
use neticket_contract::{FieldProblem, IMAGE_BYTES_MAX, ProblemCode, UploadedImage};
use utoipa::ToSchema;

use crate::error::ApiError;
use crate::extract::caller::{Admin, ClientAddress};
use crate::extract::fields::FieldErrorKind;
use crate::state::State;
use crate::wire;

/// The name of the only field of the form.
const FILE: &str = "file";
const FORM_DATA: &str = "multipart/form-data";
/// How many bytes a form may have in addition to its file, for headers and boundaries.
const FRAME_LEN_MAX: usize = 16 * 1024;
/// How long a form may take to arrive: 5 MiB at about 100 KB/s.
const ARRIVAL_TIMEOUT: Duration = Duration::from_mins(1);

/// A form with an image.
#[derive(ToSchema)]
#[expect(dead_code, reason = "describes what is read piece by piece")]
pub(crate) struct ImageForm {
    /// A JPEG, PNG, WebP or GIF image of at most 5 MiB and 50 megapixels. The format is recognized by the
    /// content. The name and the declared type of the file are ignored.
    #[schema(value_type = String, format = Binary)]
    file: Vec<u8>,
}

/// Upload an image
///
/// The image is encoded anew in two sizes, without its metadata. An event refers to it by its key. An image
/// that no event refers to within a day is removed. The action is written to the audit log.
#[utoipa::path(post, path = "/api/v1/admin/images", tag = "Administration", security(("access" = [])),
    request_body(content = ImageForm, content_type = "multipart/form-data"), responses(
    (status = 201, description = "The image is stored. The same image always has the same key.", body = UploadedImage),
))]
pub(crate) async fn admin_image_create(
    state: Data<State>,
    user: Admin,
    client_ip: ClientAddress,
    req: HttpRequest,
    payload: Payload,
) -> Result<HttpResponse, ApiError> {
    // This check runs before anything is read, so that one administrator cannot fill the memory.
    state.limits.upload(user.0.user)?;
    let form = form_of(&req, payload)?;
    let file = timeout(ARRIVAL_TIMEOUT, read_file(form)).await.map_err(|_| too_slow())??;
    let image = state.app.image_upload(user.0, Some(client_ip.0.to_string()), file).await?;
    Ok(HttpResponse::Created().json(wire::uploaded_image(image)))
}

fn form_of(req: &HttpRequest, payload: Payload) -> Result<Multipart, ApiError> {
    let text = |name| req.headers().get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let essence = text(CONTENT_TYPE).split(';').next().unwrap_or_default().trim();
    if !essence.eq_ignore_ascii_case(FORM_DATA) {
        return Err(ApiError::new(
            ProblemCode::UnsupportedMediaType,
            format!("The body must be {FORM_DATA}, with the image in the field `{FILE}`."),
        ));
    }
    if text(CONTENT_LENGTH).parse::<usize>().is_ok_and(|len| len > IMAGE_BYTES_MAX + FRAME_LEN_MAX) {
        return Err(too_large());
    }
    Ok(Multipart::new(req.headers(), payload))
}

async fn read_file(mut form: Multipart) -> Result<Vec<u8>, ApiError> {
    let mut file = None;
    while let Some(field) = form.next().await {
        let field = field.map_err(|error| broken(&error))?;
        let name = field.name().unwrap_or_default();
        if name != FILE {
            return Err(ApiError::invalid(vec![FieldErrorKind::Unknown(name.to_owned()).at("")]));
        }
        if file.is_some() {
            return Err(ApiError::invalid(vec![FieldErrorKind::Duplicate(name.to_owned()).at("")]));
        }
        file = Some(collect(field).await?);
    }
    file.filter(|file| !file.is_empty()).ok_or_else(|| {
        ApiError::invalid(vec![FieldProblem {
            field: FILE.to_owned(),
            code: "required".to_owned(),
            message: "is required and must not be empty".to_owned(),
        }])
    })
}

async fn collect(mut field: Field) -> Result<Vec<u8>, ApiError> {
    let mut file = Vec::new();
    while let Some(piece) = field.next().await {
        let piece = piece.map_err(|error| broken(&error))?;
        if file.len() + piece.len() > IMAGE_BYTES_MAX {
            return Err(too_large());
        }
        file.extend_from_slice(&piece);
    }
    Ok(file)
}

fn broken(_: &MultipartError) -> ApiError {
    ApiError::new(ProblemCode::MalformedRequest, "The form is invalid or incomplete.")
}

fn too_slow() -> ApiError {
    ApiError::new(ProblemCode::MalformedRequest, "The form did not arrive in time.")
}

fn too_large() -> ApiError {
    ApiError::new(
        ProblemCode::PayloadTooLarge,
        format!("The image may have at most {IMAGE_BYTES_MAX} bytes."),
    )
}
