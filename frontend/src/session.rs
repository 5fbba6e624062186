//! The session. The access token is in memory only. After a reload, the refresh cookie, which scripts cannot
//! read, brings a new one.

use futures::lock::Mutex;
use leptos::prelude::*;
use leptos::task::spawn_local;
use neticket_contract::{LoginRequest, ProblemCode, Token, User};
use std::sync::Arc;

use crate::api::{Answer, ApiError, Request, send};
use crate::{browser, storage};

/// The key of the stored id of the user who is signed in in this browser. Without it, a page does not try a
/// refresh that the server would refuse. Tabs also learn by it what another tab did. The id is not secret and
/// grants nothing.
const REMEMBERED: &str = "neticket.signed_in";
/// The name of the lock for refreshes. Refresh tokens rotate, and using one twice ends the session, so the
/// tabs refresh one after another.
const LOCK: &str = "neticket.refresh";
/// The key of the time at which a refresh began, by the browser's clock. A page that holds the lock and finds
/// this time was reloaded while the refresh of the previous page was still on its way.
const REFRESHING: &str = "neticket.refreshing";
/// How long to wait for the refresh of a page that is gone, in milliseconds.
const REFRESH_GRACE_MS: i64 = 3_000;
/// An access token is renewed this many milliseconds before it ends, so that no request is refused for it.
const RENEW_BEFORE_MS: i64 = 15_000;
/// How often a refused refresh is retried before the person has to sign in.
const REFRESH_TRIES: u32 = 3;
/// The pause between refreshes without a network, in milliseconds. Most browsers report when the network is
/// back. This is for those that do not.
const OFFLINE_PAUSE_MS: i64 = 15_000;

/// Who looks at the page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Viewer {
    /// Not known yet, because the refresh is under way.
    Unknown,
    Visitor,
    User(User),
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Access {
    token: String,
    /// By the browser's clock.
    ends_ms: i64,
}

/// The session of this tab.
#[derive(Clone, Copy)]
pub(crate) struct Session {
    viewer: RwSignal<Viewer>,
    access: StoredValue<Option<Access>>,
    turn: StoredValue<Arc<Mutex<()>>>,
}

pub(crate) fn use_session() -> Session {
    expect_context()
}

impl Session {
    /// Restores the previous session, if there was one.
    pub(crate) fn start() -> Self {
        let remembered = remembered();
        let session = Self {
            viewer: RwSignal::new(if remembered { Viewer::Unknown } else { Viewer::Visitor }),
            access: StoredValue::new(None),
            turn: StoredValue::new(Arc::default()),
        };
        if remembered {
            spawn_local(async move { session.restore_session().await });
        }
        session.follow_other_tabs();
        session.follow_network();
        session
    }

    pub(crate) fn viewer(self) -> Viewer {
        self.viewer.get()
    }

    /// The id of the user shown. It alone decides what they own, so pages depend on it and not on the whole
    /// profile. Tracked.
    pub(crate) fn user_id(self) -> Option<i64> {
        self.viewer.with(|viewer| match viewer {
            Viewer::User(user) => Some(user.id),
            Viewer::Unknown | Viewer::Visitor => None,
        })
    }

    /// Takes over a changed profile.
    pub(crate) fn update_user(self, user: User) {
        self.viewer.set(Viewer::User(user));
    }

    /// # Errors
    /// `bad_credentials` if they are wrong. Otherwise as [`send`].
    pub(crate) async fn login(self, credentials: &LoginRequest) -> Result<(), ApiError> {
        let body = serde_json::to_string(credentials).ok();
        let _turn = browser::TabLock::acquire(LOCK).await;
        let answer =
            send(&Request { method: "POST", path: "/auth/login".into(), body, ..Request::default() }).await?;
        self.begin(answer.json()?);
        Ok(())
    }

    /// Ends the session on the server. The tab keeps it until [`Self::end`], so that the person can leave the
    /// page first.
    ///
    /// # Errors
    /// As [`send`]: the session may then still exist. [`ApiError::OtherUser`] if another user is signed in
    /// than the one shown.
    pub(crate) async fn logout(self) -> Result<(), ApiError> {
        let _turn = browser::TabLock::acquire(LOCK).await;
        self.same_in_all_tabs(untrack(|| self.user_id()))?;
        let token = self.token();
        let request =
            Request { method: "POST", path: "/auth/logout".into(), token, kept: true, ..Request::default() };
        match send(&request).await?.ok() {
            Err(error) if error.code() != Some(ProblemCode::Unauthenticated) => Err(error),
            _ => Ok(()),
        }
    }

    /// Sends `request` as the user, and renews the access token if necessary.
    ///
    /// # Errors
    /// As [`send`]. If the session has ended, the answer is the server's `unauthenticated`. If the session
    /// belongs to another user by now, the page shows that user, nothing is sent, and the error is
    /// [`ApiError::OtherUser`].
    pub(crate) async fn send(self, mut request: Request) -> Result<Answer, ApiError> {
        let meant = request.user_id.or_else(|| untrack(|| self.user_id()));
        let remembered = remembered();
        request.token = self.fresh_token(meant).await?;
        let answer = send(&request).await?;
        let refused = answer.ok().err().and_then(|error| error.code());
        if refused != Some(ProblemCode::Unauthenticated) {
            return Ok(answer);
        }
        if !remembered {
            self.end();
            return Ok(answer);
        }
        self.refresh(request.token).await?;
        request.token = self.token_of(meant)?;
        send(&request).await
    }

    /// The access token of the user shown, renewed if necessary. For requests that do not go through
    /// [`Self::send`].
    ///
    /// # Errors
    /// As [`Self::send`].
    pub(crate) async fn access_token(self) -> Result<Option<String>, ApiError> {
        self.fresh_token(untrack(|| self.user_id())).await
    }

    async fn fresh_token(self, meant: Option<i64>) -> Result<Option<String>, ApiError> {
        self.same_in_all_tabs(meant)?;
        let ends_soon = self.access.with_value(|access| {
            access.as_ref().is_none_or(|a| a.ends_ms - RENEW_BEFORE_MS < browser::now_ms())
        });
        if ends_soon && remembered() {
            self.refresh(self.token()).await?;
        }
        self.token_of(meant)
    }

    /// The access token, if it belongs to the user `meant`, or if `meant` is `None`.
    fn token_of(self, meant: Option<i64>) -> Result<Option<String>, ApiError> {
        match (meant, untrack(|| self.user_id())) {
            (Some(meant), Some(shown)) if meant != shown => Err(ApiError::OtherUser),
            _ => Ok(self.token()),
        }
    }

    /// Refuses if another tab has signed in another user and this tab does not know it yet, for example
    /// because it was frozen.
    fn same_in_all_tabs(self, meant: Option<i64>) -> Result<(), ApiError> {
        match (meant, remembered_id()) {
            (Some(meant), Some(now)) if meant != now => {
                self.follow(Some(now));
                Err(ApiError::OtherUser)
            }
            _ => Ok(()),
        }
    }

    fn token(self) -> Option<String> {
        self.access.with_value(|access| access.as_ref().map(|access| access.token.clone()))
    }

    /// Renews the access token, unless it is no longer `known` because another task has just renewed it.
    async fn refresh(self, known: Option<String>) -> Result<(), ApiError> {
        let turn = self.turn.get_value();
        let _turn = turn.lock().await;
        let _tabs_turn = browser::TabLock::acquire(LOCK).await;
        if self.token() != known {
            return Ok(());
        }
        wait_for_a_page_gone().await;
        let request =
            Request { method: "POST", path: "/auth/refresh".into(), kept: true, ..Request::default() };
        storage::local().set(REFRESHING, &browser::now_ms().to_string());
        let answer = send(&request).await;
        storage::local().remove(REFRESHING);
        match answer?.json() {
            Ok(token) => {
                self.begin(token);
                Ok(())
            }
            Err(error) => {
                if error.code() == Some(ProblemCode::Unauthenticated) {
                    self.end();
                }
                Err(error)
            }
        }
    }

    /// Restores the session with a refresh. A refresh whose answer was lost is not repeated: its token may be
    /// used up, and using it twice ends the session.
    async fn restore_session(self) {
        let mut refused = 0;
        loop {
            let offline = !browser::online();
            match self.refresh(None).await {
                Err(ApiError::Lost) if offline => {
                    // Nothing was sent. The user stays unknown until there is a network.
                    browser::sleep(OFFLINE_PAUSE_MS).await;
                    if self.viewer.with_untracked(|viewer| *viewer != Viewer::Unknown) {
                        return;
                    }
                }
                // The server refused before it looked at the token.
                Err(error @ ApiError::Refused { .. }) if error.passing() && refused < REFRESH_TRIES => {
                    browser::sleep(1_000 << refused).await;
                    refused += 1;
                }
                _ => break,
            }
        }
        self.viewer.update(|viewer| {
            if *viewer == Viewer::Unknown {
                *viewer = Viewer::Visitor;
            }
        });
    }

    fn begin(self, token: Token) {
        let lifetime_ms = i64::try_from(token.expires_in).unwrap_or(0).saturating_mul(1_000);
        let ends_ms = browser::now_ms().saturating_add(lifetime_ms);
        self.access.set_value(Some(Access { token: token.access_token, ends_ms }));
        storage::local().set(REMEMBERED, &token.user.id.to_string());
        self.viewer.set(Viewer::User(token.user));
    }

    /// Ends the session here and in all tabs.
    pub(crate) fn end(self) {
        self.access.set_value(None);
        storage::local().remove(REMEMBERED);
        self.viewer.set(Viewer::Visitor);
    }

    /// Signing in or out in one tab does so in all tabs.
    fn follow_other_tabs(self) {
        let _ = window_event_listener(leptos::ev::storage, move |event| {
            // Without a key, the whole storage was cleared.
            if event.key().is_none_or(|key| key == REMEMBERED) {
                self.follow(remembered_id());
            }
        });
    }

    /// Takes over the session of user `id`, which another tab has begun, or its end.
    fn follow(self, id: Option<i64>) {
        if id == untrack(|| self.user_id()) {
            return;
        }
        self.access.set_value(None);
        if id.is_none() {
            self.viewer.set(Viewer::Visitor);
        } else if self.viewer.with_untracked(|viewer| *viewer != Viewer::Unknown) {
            self.viewer.set(Viewer::Unknown);
            spawn_local(async move { self.restore_session().await });
        }
    }

    /// Restores the session as soon as there is a network again.
    fn follow_network(self) {
        let _ = window_event_listener(leptos::ev::online, move |_| {
            let nobody = self.viewer.with_untracked(|viewer| !matches!(viewer, Viewer::User(_)));
            if nobody && remembered() {
                self.viewer.set(Viewer::Unknown);
                spawn_local(async move { self.restore_session().await });
            }
        });
    }
}

/// Whether a user is signed in in this browser, as far as the storage says.
fn remembered() -> bool {
    storage::local().get(REMEMBERED).is_some()
}

/// The id of that user.
fn remembered_id() -> Option<i64> {
    storage::local().get(REMEMBERED)?.parse().ok()
}

/// Waits for the refresh that the previous page left behind, because it brings the cookie that the next
/// refresh needs.
async fn wait_for_a_page_gone() {
    let began = storage::local().get(REFRESHING).and_then(|text| text.parse::<i64>().ok());
    if let Some(began) = began {
        let rest = began.saturating_add(REFRESH_GRACE_MS).saturating_sub(browser::now_ms());
        if rest > 0 {
            browser::sleep(rest.min(REFRESH_GRACE_MS)).await;
        }
    }
}
