//! Who is signed in. The access token lives in memory only; after a reload the refresh cookie, which scripts cannot
//! see, brings a new one.

use futures::lock::Mutex;
use leptos::prelude::*;
use leptos::task::spawn_local;
use neticket_contract::{LoginRequest, ProblemCode, Token, User};
use std::sync::Arc;

use crate::api::{Answer, ApiError, Request, send};
use crate::{js, storage};

/// Set while someone is signed in, so that visitors cause no refused refresh. It is no secret and grants nothing.
const REMEMBERED: &str = "neticket.signed_in";
/// Refresh tokens rotate, and using one twice ends the session: all tabs take turns.
const LOCK: &str = "neticket.refresh";
/// An access token is renewed this long before it ends, so that no request is refused for it.
const RENEW_BEFORE_MS: i64 = 15_000;
/// Tries to come back after a reload before the person has to sign in.
const REFRESH_TRIES: u32 = 3;

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
        let remembered = storage::local().get(REMEMBERED).is_some();
        let session = Self {
            who: RwSignal::new(if remembered { Who::Unknown } else { Who::Visitor }),
            access: StoredValue::new(None),
            turn: StoredValue::new(Arc::default()),
        };
        if remembered {
            spawn_local(async move { session.come_back().await });
        }
        session.follow_other_tabs();
        session
    }

    pub(crate) fn who(self) -> Who {
        self.who.get()
    }

    /// Not tracked.
    pub(crate) fn is_user(self) -> bool {
        self.who.with_untracked(|who| matches!(who, Who::User(_)))
    }

    /// Takes note of a changed profile.
    pub(crate) fn update_user(self, user: User) {
        self.who.set(Who::User(user));
    }

    /// # Errors
    /// `bad_credentials` if they are; else as [`send`].
    pub(crate) async fn login(self, credentials: &LoginRequest) -> Result<(), ApiError> {
        let body = serde_json::to_string(credentials).ok();
        let answer =
            send(&Request { method: "POST", path: "/auth/login".into(), body, ..Request::default() }).await?;
        self.begin(answer.json()?);
        Ok(())
    }

    /// Ends the session here at once, and on the server as soon as it hears of it.
    pub(crate) async fn logout(self) {
        let _turn = js::TabLock::acquire(LOCK).await;
        let token = self.token();
        self.end();
        let request = Request { method: "POST", path: "/auth/logout".into(), token, ..Request::default() };
        // If it is lost, the cookie stays until it expires, but nothing here uses it any more.
        let _ = send(&request).await;
    }

    /// Sends `request` in the person's name; renews the access token if need be.
    ///
    /// # Errors
    /// As [`send`]. When the session is over, the answer is the server's `unauthenticated`.
    pub(crate) async fn send(self, mut request: Request) -> Result<Answer, ApiError> {
        let ends_soon = self
            .access
            .with_value(|access| access.as_ref().is_none_or(|a| a.ends_ms - RENEW_BEFORE_MS < js::now_ms()));
        let remembered = storage::local().get(REMEMBERED).is_some();
        if ends_soon && remembered {
            self.refresh(self.token()).await?;
        }
        request.token = self.token();
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
        request.token = self.token();
        send(&request).await
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
        let request = Request { method: "POST", path: "/auth/refresh".into(), ..Request::default() };
        match send(&request).await?.json() {
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

    async fn come_back(self) {
        for attempt in 0..REFRESH_TRIES {
            match self.refresh(None).await {
                Err(error) if error.passing() => js::sleep(1_000 << attempt).await,
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
        storage::local().set(REMEMBERED, "1");
        self.who.set(Who::User(token.user));
    }

    fn end(self) {
        self.access.set_value(None);
        storage::local().remove(REMEMBERED);
        self.who.set(Who::Visitor);
    }

    /// Signing out in one tab signs out in all.
    fn follow_other_tabs(self) {
        let _ = window_event_listener(leptos::ev::storage, move |event| {
            let ended = event.key().is_some_and(|key| key == REMEMBERED) && event.new_value().is_none();
            if ended && self.is_user() {
                self.access.set_value(None);
                self.who.set(Who::Visitor);
            }
        });
    }
}
