//! Why a call did not succeed.

use neticket_contract::{Problem, ProblemCode};

/// The failure of a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum ApiError {
    /// The server refused the request. `problem` says why.
    Refused {
        problem: Box<Problem>,
        /// The `Retry-After` header, in seconds.
        retry_after_s: Option<u32>,
    },
    /// No answer came: there is no network, or the timeout has passed.
    Lost,
    /// Nothing was sent, because another user is signed in in this browser by now.
    OtherUser,
    /// The answer does not follow the contract, for example a proxy's error page. Holds its status.
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

    /// Whether nothing is wrong with the call, so that the same call may succeed a little later.
    pub(crate) fn passing(&self) -> bool {
        match self {
            Self::Refused { problem, .. } => problem.code.retryable(),
            Self::Lost => true,
            Self::OtherUser => false,
            Self::Unreadable(status) => matches!(status, 502..=504),
        }
    }
}
