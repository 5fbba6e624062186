//! Who is signed in. The access token lives in memory only; after a reload the refresh cookie, which scripts cannot
//! see, brings a new one.

use futures::lock::Mutex;
use leptos::prelude::*;
use leptos::task::spawn_local;
use neticket_contract::{LoginRequest, ProblemCode, Token, User};
use std::sync::Arc;

use crate::api::{Answer, ApiError, Request, send};
use crate::{js, storage};

/// The id of whoever is signed in in this browser: visitors cause no refused refresh, and a tab learns by it what
/// another one did. It is no secret and grants nothing.
const REMEMBERED: &str = "neticket.signed_in";
/// Refresh tokens rotate, and using one twice ends the session: all tabs take turns.
const LOCK: &str = "neticket.refresh";
/// When the refresh under way began, by the browser's clock. Whoever finds it while holding the lock is the page after
/// a reload: the refresh of the page before is still on its way.
const REFRESHING: &str = "neticket.refreshing";
/// So long the refresh of a page that is gone is given to come to its end.
const REFRESH_GRACE_MS: i64 = 3_000;
/// An access token is renewed this long before it ends, so that no request is refused for it.
const RENEW_BEFORE_MS: i64 = 15_000;
/// Tries to come back after a reload before the person has to sign in.
const REFRESH_TRIES: u32 = 3;
/// Without a network the browser says when there is one again; this is for those that do not.
const OFFLINE_PAUSE_MS: i64 = 15_000;

/// Who looks at the page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Who {
    /// Not known yet: the refresh is under way.
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
    who: RwSignal<Who>,
    access: StoredValue<Option<Access>>,
    turn: StoredValue<Arc<Mutex<()>>>,
}

pub(crate) fn use_session() -> Session {
    expect_context()
}

impl Session {
    /// Comes back to the session of before, if there was one.
    pub(crate) fn start() -> Self {
        let remembered = remembered();
        let session = Self {
            who: RwSignal::new(if remembered { Who::Unknown } else { Who::Visitor }),
            access: StoredValue::new(None),
            turn: StoredValue::new(Arc::default()),
        };
        if remembered {
            spawn_local(async move { session.come_back().await });
        }
        session.follow_other_tabs();
        session.follow_network();
        session
    }

    pub(crate) fn who(self) -> Who {
        self.who.get()
    }

    /// Of the person shown. Nothing else about them matters to what they own.
    pub(crate) fn user_id(self) -> Option<i64> {
        self.who.with(|who| match who {
            Who::User(user) => Some(user.id),
            Who::Unknown | Who::Visitor => None,
        })
    }

    /// Takes note of a changed profile.
    pub(crate) fn update_user(self, user: User) {
        self.who.set(Who::User(user));
    }

    /// # Errors
    /// `bad_credentials` if they are; else as [`send`].
    pub(crate) async fn login(self, credentials: &LoginRequest) -> Result<(), ApiError> {
        let body = serde_json::to_string(credentials).ok();
        let _turn = js::TabLock::acquire(LOCK).await;
        let answer =
            send(&Request { method: "POST", path: "/auth/login".into(), body, ..Request::default() }).await?;
        self.begin(answer.json()?);
        Ok(())
    }

    /// Ends the session on the server. Here it goes on until [`Self::end`], so that the page can be left first.
    ///
    /// # Errors
    /// As [`send`]: the session may live on then. [`ApiError::OtherUser`] if it is not the one shown.
    pub(crate) async fn logout(self) -> Result<(), ApiError> {
        let _turn = js::TabLock::acquire(LOCK).await;
        self.same_in_all_tabs(untrack(|| self.user_id()))?;
        let token = self.token();
        let request =
            Request { method: "POST", path: "/auth/logout".into(), token, kept: true, ..Request::default() };
        match send(&request).await?.ok() {
            Err(error) if error.code() != Some(ProblemCode::Unauthenticated) => Err(error),
            _ => Ok(()),
        }
    }

    /// Sends `request` in the person's name; renews the access token if need be.
    ///
    /// # Errors
    /// As [`send`]. When the session is over, the answer is the server's `unauthenticated`. When the session turns out
    /// to be another person's, it is shown as theirs, and nothing is sent: [`ApiError::OtherUser`].
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

    /// The access token of the person shown, renewed if need be; for what [`Self::send`] cannot send.
    ///
    /// # Errors
    /// As [`Self::send`].
    pub(crate) async fn access_token(self) -> Result<Option<String>, ApiError> {
        self.fresh_token(untrack(|| self.user_id())).await
    }

    async fn fresh_token(self, meant: Option<i64>) -> Result<Option<String>, ApiError> {
        self.same_in_all_tabs(meant)?;
        let ends_soon = self
            .access
            .with_value(|access| access.as_ref().is_none_or(|a| a.ends_ms - RENEW_BEFORE_MS < js::now_ms()));
        if ends_soon && remembered() {
            self.refresh(self.token()).await?;
        }
        self.token_of(meant)
    }

    /// The access token, if it is that of the person `meant` or nobody in particular is.
    fn token_of(self, meant: Option<i64>) -> Result<Option<String>, ApiError> {
        match (meant, untrack(|| self.user_id())) {
            (Some(meant), Some(shown)) if meant != shown => Err(ApiError::OtherUser),
            _ => Ok(self.token()),
        }
    }

    /// Refuses if another tab signed somebody else in, and this one has not heard of it: it may have been frozen.
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

    /// Renews the access token, unless somebody else just did: it is no longer `known` then.
    async fn refresh(self, known: Option<String>) -> Result<(), ApiError> {
        let turn = self.turn.get_value();
        let _turn = turn.lock().await;
        let _tabs_turn = js::TabLock::acquire(LOCK).await;
        if self.token() != known {
            return Ok(());
        }
        wait_for_a_page_gone().await;
        let request =
            Request { method: "POST", path: "/auth/refresh".into(), kept: true, ..Request::default() };
        storage::local().set(REFRESHING, &js::now_ms().to_string());
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

    /// A refresh whose answer got lost is not repeated: its token may be used up, and using it twice ends the session.
    async fn come_back(self) {
        let mut refused = 0;
        loop {
            let offline = !js::online();
            match self.refresh(None).await {
                Err(ApiError::Lost) if offline => {
                    // Nothing was sent. Who it is stays open until there is a network.
                    js::sleep(OFFLINE_PAUSE_MS).await;
                    if self.who.with_untracked(|who| *who != Who::Unknown) {
                        return;
                    }
                }
                // The server said no before it looked at the token.
                Err(error @ ApiError::Refused { .. }) if error.passing() && refused < REFRESH_TRIES => {
                    js::sleep(1_000 << refused).await;
                    refused += 1;
                }
                _ => break,
            }
        }
        self.who.update(|who| {
            if *who == Who::Unknown {
                *who = Who::Visitor;
            }
        });
    }

    fn begin(self, token: Token) {
        let lifetime_ms = i64::try_from(token.expires_in).unwrap_or(0).saturating_mul(1_000);
        let ends_ms = js::now_ms().saturating_add(lifetime_ms);
        self.access.set_value(Some(Access { token: token.access_token, ends_ms }));
        storage::local().set(REMEMBERED, &token.user.id.to_string());
        self.who.set(Who::User(token.user));
    }

    /// Forgets the session here and in all tabs.
    pub(crate) fn end(self) {
        self.access.set_value(None);
        storage::local().remove(REMEMBERED);
        self.who.set(Who::Visitor);
    }

    /// Signing in or out in one tab does so in all.
    fn follow_other_tabs(self) {
        let _ = window_event_listener(leptos::ev::storage, move |event| {
            // Without a key, everything was cleared.
            if event.key().is_none_or(|key| key == REMEMBERED) {
                self.follow(remembered_id());
            }
        });
    }

    /// Becomes the session of user `id`, which another tab has begun or ended.
    fn follow(self, id: Option<i64>) {
        if id == untrack(|| self.user_id()) {
            return;
        }
        self.access.set_value(None);
        if id.is_none() {
            self.who.set(Who::Visitor);
        } else if self.who.with_untracked(|who| *who != Who::Unknown) {
            self.who.set(Who::Unknown);
            spawn_local(async move { self.come_back().await });
        }
    }

    /// Comes back as soon as there is a network again.
    fn follow_network(self) {
        let _ = window_event_listener(leptos::ev::online, move |_| {
            let nobody = self.who.with_untracked(|who| !matches!(who, Who::User(_)));
            if nobody && remembered() {
                self.who.set(Who::Unknown);
                spawn_local(async move { self.come_back().await });
            }
        });
    }
}

/// Whether someone is signed in in this browser, as far as it remembers.
fn remembered() -> bool {
    storage::local().get(REMEMBERED).is_some()
}

/// Who that is.
fn remembered_id() -> Option<i64> {
    storage::local().get(REMEMBERED)?.parse().ok()
}

/// Lets the refresh that a page before this one left behind finish: it brings the cookie that the next one needs.
async fn wait_for_a_page_gone() {
    let began = storage::local().get(REFRESHING).and_then(|text| text.parse::<i64>().ok());
    if let Some(began) = began {
        let rest = began.saturating_add(REFRESH_GRACE_MS).saturating_sub(js::now_ms());
        if rest > 0 {
            js::sleep(rest.min(REFRESH_GRACE_MS)).await;
        }
    }
}
