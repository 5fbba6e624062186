//! Why a call did not succeed.

use neticket_contract::{Problem, ProblemCode};

/// What came instead of the answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum ApiError {
    /// The server said no, and why.
    Refused {
        problem: Box<Problem>,
        /// When to come back.
        retry_after_s: Option<u32>,
    },
    /// No answer came: no network, or no patience left.
    Lost,
    /// Nothing was sent: by now somebody else is signed in in this browser.
    OtherUser,
    /// Something answered, but not as the contract says: a proxy's error page, for example. With its status.
    Unreadable(u16),
}

impl ApiError {
    pub(crate) fn code(&self) -> Option<ProblemCode> {
        self.problem().map(|problem| problem.code)
    }

    pub(crate) fn problem(&self) -> Option<&Problem> {
        match self {
            Self::Refused { problem, .. } => Some(problem),
            Self::Lost | Self::OtherUser | Self::Unreadable(_) => None,
        }
    }

    /// Whether nothing is wrong with the call, and the same one may succeed a little later.
    pub(crate) fn passing(&self) -> bool {
        match self {
            Self::Refused { problem, .. } => problem.code.retryable(),
            Self::Lost => true,
            Self::OtherUser => false,
            Self::Unreadable(status) => matches!(status, 502..=504),
        }
    }
}
