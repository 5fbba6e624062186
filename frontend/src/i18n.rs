//! The language of the page. The texts are in `locales/`. The build makes a constant of each, so that a
//! client carries only the texts that it can show.

use std::fmt::Display;

use leptos::prelude::*;

use crate::storage;

/// A text in Korean and in English. Each text has a constant here, named after its key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Msg(&'static [&'static str; 2]);

include!(concat!(env!("OUT_DIR"), "/texts.rs"));

const REMEMBERED: &str = "neticket.language";

/// A language of the page.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Language {
    Korean,
    English,
}

impl Language {
    /// The tag for `<html lang>` and Intl.
    pub(crate) fn tag(self) -> &'static str {
        match self {
            Self::Korean => "ko",
            Self::English => "en",
        }
    }

    pub(crate) fn other(self) -> Self {
        match self {
            Self::Korean => Self::English,
            Self::English => Self::Korean,
        }
    }

    pub(crate) fn text(self, key: Msg) -> &'static str {
        let [korean, english] = *key.0;
        match self {
            Self::Korean => korean,
            Self::English => english,
        }
    }

    /// The text with its `{name}` placeholders replaced.
    pub(crate) fn fill(self, key: Msg, values: &[(&str, &dyn Display)]) -> String {
        let mut text = self.text(key).to_owned();
        for (name, value) in values {
            text = text.replace(&format!("{{{name}}}"), &value.to_string());
        }
        text
    }
}

/// The page's language, as a signal.
#[derive(Clone, Copy)]
pub(crate) struct I18n(RwSignal<Language>);

impl I18n {
    /// Korean, unless the person has chosen English before.
    pub(crate) fn start() -> Self {
        let english = storage::local().get(REMEMBERED).is_some_and(|tag| tag == Language::English.tag());
        let i18n = Self(RwSignal::new(if english { Language::English } else { Language::Korean }));
        Effect::new(move |_| {
            let tag = i18n.language().tag();
            if let Some(root) = document().document_element() {
                // A document always accepts this attribute.
                let _ = root.set_attribute("lang", tag);
            }
        });
        i18n
    }

    pub(crate) fn language(self) -> Language {
        self.0.get()
    }

    pub(crate) fn text(self, key: Msg) -> &'static str {
        self.language().text(key)
    }

    pub(crate) fn fill(self, key: Msg, values: &[(&str, &dyn Display)]) -> String {
        self.language().fill(key, values)
    }

    pub(crate) fn switch(self) {
        self.0.update(|language| *language = language.other());
        storage::local().set(REMEMBERED, self.0.get_untracked().tag());
    }
}

pub(crate) fn use_i18n() -> I18n {
    expect_context()
}

/// A text that follows the language, for use in views.
pub(crate) fn tr(key: Msg) -> impl Fn() -> &'static str + Copy + Send + Sync + 'static {
    let i18n = use_i18n();
    move || i18n.text(key)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn placeholders_are_filled_in_both_languages() {
        for language in [Language::Korean, Language::English] {
            let text = language.fill(Msg::EventLimit, &[("n", &4)]);
            assert!(text.contains('4') && !text.contains('{'), "{text}");
        }
    }

    #[test]
    fn switching_the_language_twice_returns_to_the_first() {
        assert_eq!(Language::Korean.other().other(), Language::Korean);
        assert_ne!(Language::Korean.tag(), Language::English.tag());
    }
}
