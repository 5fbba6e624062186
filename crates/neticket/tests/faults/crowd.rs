//! The crowd: all people act at once, repeatedly, until the rush is over.

use std::sync::Arc;

use neticket_testkit::domain::{Email, Nickname, Role, Timestamp, UserId};
use neticket_testkit::store::{NewUser, Store};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::person::{Person, Sale};

pub(crate) struct Crowd {
    over: CancellationToken,
    people: Vec<JoinHandle<Person>>,
}

impl Crowd {
    /// Starts all people.
    pub(crate) fn start(people: Vec<Person>) -> Self {
        let over = CancellationToken::new();
        let live = |mut person: Person| {
            let over = over.clone();
            tokio::spawn(async move {
                while !over.is_cancelled() {
                    person.act().await;
                    person.short_pause().await;
                }
                person
            })
        };
        Self { people: people.into_iter().map(live).collect(), over }
    }

    /// Lets all people finish their current action, and returns them.
    pub(crate) async fn stop(self) -> Vec<Person> {
        self.over.cancel();
        let mut people = Vec::with_capacity(self.people.len());
        for person in self.people {
            people.push(person.await.expect("the task of a person does not panic"));
        }
        people
    }
}

/// Adds `count` people to the store. Their names are numbered from `first`.
pub(crate) async fn people(
    store: &Store,
    sale: &Arc<Sale>,
    now: Timestamp,
    (first, count): (usize, usize),
    seed: u64,
) -> Vec<Person> {
    let users = futures::future::join_all((first..first + count).map(|n| user(store, n, now))).await;
    users.into_iter().map(|user| Person::new(sale, user, now, seed)).collect()
}

async fn user(store: &Store, n: usize, now: Timestamp) -> UserId {
    let email = Email::parse(&format!("user{n}@example.com")).expect("an e-mail");
    let nickname = Nickname::parse(&format!("user{n}")).expect("a nickname");
    let new = NewUser { email: &email, nickname: &nickname, password_hash: "-", role: Role::User, now };
    store.user_create(new).await.expect("a user").id
}
