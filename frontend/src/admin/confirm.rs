//! A dialog that asks before an action that people notice, and says what will happen.

use leptos::html::Dialog;
use leptos::prelude::*;

use crate::components::FormError;
use crate::i18n::{Msg, use_i18n};

/// A dialog that is shown while `open`. When it opens, the button that changes nothing has the focus.
#[component]
pub(crate) fn Confirm(
    open: Signal<bool>,
    /// Called also when the person leaves the dialog by keyboard.
    close: impl Fn() + Copy + Send + Sync + 'static,
    heading: Signal<Msg>,
    /// The text of the button that confirms.
    action: Signal<Msg>,
    /// The text of the button that changes nothing.
    #[prop(into)]
    keep: Signal<Msg>,
    /// Whether there is something to do and it is allowed.
    ready: Signal<bool>,
    busy: RwSignal<bool>,
    error: RwSignal<Option<Msg>>,
    confirm: impl Fn() + Copy + Send + Sync + 'static,
    children: Children,
) -> impl IntoView {
    let i18n = use_i18n();
    let dialog = NodeRef::<Dialog>::new();
    Effect::new(move |_| {
        let Some(dialog) = dialog.get() else { return };
        if open.get() {
            // Throws only if the element is not in the document or is open already.
            let _ = dialog.show_modal();
        } else {
            dialog.close();
        }
    });
    let press = move |_| {
        if !busy.get_untracked() && ready.get_untracked() {
            error.set(None);
            confirm();
        }
    };
    // Leaving would not stop a request that is under way.
    let leave = move |_| {
        if !busy.get_untracked() {
            close();
        }
    };
    view! {
        <dialog
            class="dialog"
            node_ref=dialog
            aria-labelledby="confirm-title"
            on:cancel=move |event: leptos::ev::Event| {
                if busy.get_untracked() {
                    event.prevent_default();
                }
            }
            on:close=move |_| {
                if open.get_untracked() {
                    close();
                }
            }
        >
            <h2 id="confirm-title">{move || i18n.text(heading.get())}</h2>
            {children()}
            <FormError text=error />
            <div class="dialog__actions">
                <button type="button" class="button button--quiet" autofocus on:click=leave>
                    {move || i18n.text(keep.get())}
                </button>
                <button
                    type="button"
                    class="button button--danger"
                    disabled=move || !ready.get()
                    aria-busy=move || busy.get().to_string()
                    on:click=press
                >
                    {move || i18n.text(action.get())}
                </button>
            </div>
        </dialog>
    }
}
