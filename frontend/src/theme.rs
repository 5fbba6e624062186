//! The theme: light, dark, or that of the system.

use leptos::prelude::*;

use crate::storage;

const REMEMBERED: &str = "neticket.theme";

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Theme {
    System,
    Light,
    Dark,
}

impl Theme {
    pub(crate) const ALL: [Self; 3] = [Self::System, Self::Light, Self::Dark];

    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::System => "system",
            Self::Light => "light",
            Self::Dark => "dark",
        }
    }

    fn parse(word: &str) -> Self {
        Self::ALL.into_iter().find(|theme| theme.word() == word).unwrap_or(Self::System)
    }

    /// The theme that the button switches to.
    pub(crate) fn next(self) -> Self {
        match self {
            Self::System => Self::Light,
            Self::Light => Self::Dark,
            Self::Dark => Self::System,
        }
    }
}

/// The chosen theme. `index.html` and `admin.html` set it before the first paint. This follows later choices.
pub(crate) fn start() -> RwSignal<Theme> {
    let stored = storage::local().get(REMEMBERED);
    let theme = RwSignal::new(stored.as_deref().map_or(Theme::System, Theme::parse));
    Effect::new(move |_| {
        let theme = theme.get();
        let Some(root) = document().document_element() else { return };
        // A document always accepts this attribute.
        let _ = match theme {
            Theme::System => root.remove_attribute("data-theme"),
            chosen => root.set_attribute("data-theme", chosen.word()),
        };
        match theme {
            Theme::System => storage::local().remove(REMEMBERED),
            chosen => storage::local().set(REMEMBERED, chosen.word()),
        }
    });
    theme
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_button_cycles_through_all_themes() {
        for theme in Theme::ALL {
            assert_eq!(theme.next().next().next(), theme);
            assert_eq!(Theme::parse(theme.word()), theme);
        }
        assert_eq!(Theme::parse("pink"), Theme::System);
    }
}
