//! The image field: choosing, preview, upload with progress, and removal.

use leptos::prelude::*;
use leptos::task::spawn_local;
use neticket_contract::{IMAGE_BYTES_MAX, ProblemCode};
use web_sys::{File, HtmlInputElement, Url};

use super::super::api::use_admin_api;
use super::super::upload::Abort;
use super::check::Fault;
use super::draft::DraftImage;
use super::entry::FieldFault;
use super::state::Form;
use crate::api::ApiError;
use crate::browser;
use crate::components::Poster;
use crate::i18n::{Msg, tr, use_i18n};
use crate::problem_text::error_text;

const KINDS: &str = "image/jpeg,image/png,image/webp,image/gif";
/// The field's name in the API.
const PATH: &str = "image_key";

#[component]
pub(crate) fn ImageField(form: Form) -> impl IntoView {
    let i18n = use_i18n();
    let api = use_admin_api();
    let progress = RwSignal::new(0.0_f64);
    // A URL of the chosen file in the browser's own memory.
    let preview = RwSignal::new(None::<String>);
    let abort: Abort = StoredValue::new_local(None);
    let revoke_preview = move || {
        if let Some(Some(url)) = preview.try_get_untracked() {
            // Cannot fail for a URL that was made here.
            let _ = Url::revoke_object_url(&url);
            preview.try_set(None);
        }
    };
    let give_up = move || {
        if let Some(Some(request)) = abort.try_get_value() {
            let _ = request.abort();
        }
    };
    on_cleanup(move || {
        give_up();
        revoke_preview();
    });
    let choose = move |input: HtmlInputElement| {
        let Some(file) = input.files().and_then(|files| files.get(0)) else { return };
        // Lets the person choose the same file again.
        input.set_value("");
        if let Some(fault) = at_once(&file) {
            return form.refuse_field(PATH, fault);
        }
        give_up();
        revoke_preview();
        preview.set(Url::create_object_url_with_blob(&file).ok());
        progress.set(0.0);
        form.uploading.set(true);
        form.typed(PATH.to_owned(), |_| {});
        let chosen = preview.get_untracked();
        spawn_local(async move {
            let tell = move |part| {
                progress.try_set(part);
            };
            let answer = api.admin_image_create(&file, tell, abort).await;
            // The person chose another file or removed it, or the page is gone.
            if preview.try_get_untracked() != Some(chosen) {
                return;
            }
            form.uploading.set(false);
            revoke_preview();
            match answer {
                Ok(image) => form.typed(PATH.to_owned(), |draft| {
                    draft.image = Some(DraftImage { key: image.key, url: image.url });
                }),
                Err(error) => form.refuse_field(PATH, Fault::new(refusal(&error))),
            }
        });
    };
    // During an upload, this stops the upload, and the previous image stays.
    let remove = move |_| {
        let uploading = form.uploading.get_untracked();
        revoke_preview();
        give_up();
        form.uploading.set(false);
        form.typed(PATH.to_owned(), |draft| {
            if !uploading {
                draft.image = None;
            }
        });
    };
    let remove_text = move || if form.uploading.get() { Msg::FormImageStop } else { Msg::FormImageRemove };
    let shown = Memo::new(move |_| {
        preview.get().or_else(|| form.draft.with(|draft| draft.image.as_ref().map(|image| image.url.clone())))
    });
    view! {
        <fieldset class="form-part">
            <legend>{tr(Msg::FormImage)}</legend>
            <div class="image-field">
                {move || {
                    view! { <Poster url=shown.get() alt=Signal::derive(move || i18n.text(Msg::FormImageAlt).to_owned()) /> }
                }}
                <div class="image-field__tools">
                    <label class="button" for=PATH>{tr(Msg::FormImageChoose)}</label>
                    <input
                        id=PATH
                        class="image-field__input"
                        type="file"
                        accept=KINDS
                        aria-describedby="image_key-hint image_key-error"
                        on:change:target=move |event| choose(event.target())
                    />
                    <p class="field__hint" id="image_key-hint">{tr(Msg::FormImageHint)}</p>
                    <Show when=move || form.uploading.get()>
                        <label class="image-field__progress">
                            {tr(Msg::FormImageUploading)}
                            <progress max="1" prop:value=move || progress.get()></progress>
                        </label>
                    </Show>
                    <Show when=move || shown.with(Option::is_some)>
                        <button type="button" class="button button--quiet" on:click=remove>
                            {move || i18n.text(remove_text())}
                        </button>
                    </Show>
                    <FieldFault form path=Signal::stored(PATH.to_owned()) />
                </div>
            </div>
        </fieldset>
    }
}

/// The fault of a file that can be found without sending it.
fn at_once(file: &File) -> Option<Fault> {
    let len = browser::whole(file.size());
    let max = i64::try_from(IMAGE_BYTES_MAX).unwrap_or(i64::MAX);
    (len > max).then(|| Fault::new(Msg::FormImageLarge))
}

fn refusal(error: &ApiError) -> Msg {
    match error.code() {
        Some(ProblemCode::PayloadTooLarge) => Msg::FormImageLarge,
        Some(ProblemCode::UnsupportedMediaType) => Msg::FormImageKind,
        Some(ProblemCode::ImageStoreUnavailable) => Msg::FormImageStore,
        Some(ProblemCode::ValidationFailed) => {
            let many = error
                .problem()
                .is_some_and(|problem| problem.errors.iter().any(|error| error.code == "too_many_pixels"));
            if many { Msg::FormImagePixels } else { Msg::FormImageKind }
        }
        _ => error_text(error),
    }
}
