//! Small line drawings. They are decoration: text beside them says the same.

use leptos::prelude::*;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Glyph {
    Search,
    Calendar,
    Pin,
    Ticket,
    Person,
    Clock,
    Sun,
    Moon,
    Contrast,
    Check,
    Cross,
    Alert,
    Pause,
    Plus,
    Minus,
    Eye,
    Back,
    Forward,
    Up,
    Down,
}

impl Glyph {
    /// An SVG path on a square of 24 units, to be stroked.
    fn path(self) -> &'static str {
        match self {
            Self::Search => "M11 4a7 7 0 1 0 0 14 7 7 0 0 0 0-14zM16 16l5 5",
            Self::Calendar => "M4 6h16v15H4zM4 10h16M8 3v4M16 3v4",
            Self::Pin => {
                "M12 21s7-6.5 7-11.5a7 7 0 1 0-14 0C5 14.5 12 21 12 21zM12 7a2.5 2.5 0 1 0 0 5 2.5 2.5 0 0 0 0-5z"
            }
            Self::Ticket => {
                "M3 7h18v3.500a1.8 1.8 0 0 0 0 3.500V17H3v-3a1.8 1.8 0 0 0 0-3.500zM14 7v2M14 11v2M14 15v2"
            }
            Self::Person => "M12 4a4 4 0 1 0 0 8 4 4 0 0 0 0-8zM4 21c0-4 3.5-6 8-6s8 2 8 6",
            Self::Clock => "M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18zM12 7v5l3.5 2",
            Self::Sun => {
                "M12 8a4 4 0 1 0 0 8 4 4 0 0 0 0-8zM12 2v3M12 19v3M2 12h3M19 12h3M5 5l2 2M17 17l2 2M19 5l-2 2M7 17l-2 2"
            }
            Self::Moon => "M20 14.500A8.5 8.5 0 0 1 9.5 4 8.5 8.5 0 1 0 20 14.500z",
            Self::Contrast => "M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18zM12 3v18M12 8l4.5-3M12 13l8-5M12 18l9-6",
            Self::Check => "M4.5 12.500l5 5 10-11",
            Self::Cross => "M6 6l12 12M18 6L6 18",
            Self::Alert => "M12 3.500L2.5 20h19zM12 10v4.500M12 17.200v.3",
            Self::Pause => "M8 5v14M16 5v14",
            Self::Plus => "M12 5v14M5 12h14",
            Self::Minus => "M5 12h14",
            Self::Eye => {
                "M2 12s3.5-6.5 10-6.500S22 12 22 12s-3.5 6.5-10 6.500S2 12 2 12zM12 9a3 3 0 1 0 0 6 3 3 0 0 0 0-6z"
            }
            Self::Back => "M15 5l-7 7 7 7",
            Self::Forward => "M9 5l7 7-7 7",
            Self::Up => "M5 15l7-7 7 7",
            Self::Down => "M5 9l7 7 7-7",
        }
    }
}

#[component]
pub(crate) fn Icon(#[prop(into)] glyph: Signal<Glyph>) -> impl IntoView {
    view! {
        <svg class="icon" viewBox="0 0 24 24" aria-hidden="true" focusable="false">
            <path d=move || glyph.get().path() />
        </svg>
    }
}
