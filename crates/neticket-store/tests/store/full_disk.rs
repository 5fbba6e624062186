//! A full disk below a SQLite file, and the time after it has room again.

use std::fs;
use std::path::Path;
use std::time::Duration;

use neticket_domain::UserId;
use neticket_store::{CommitOutcome, CommitRequest, EventRecord, Store, StoreError, StoreOptions};
use neticket_testservers::SmallDisk;
use tokio::time::Instant;

use crate::support::{at, new_event, one_seat, sign_up};

/// Names the folder of the small disk.
const FOLDER_VARIABLE: &str = "NETICKET_TEST_SMALL_DISK";
/// The maximum number of batches until the file cannot grow any more. The free space inside the file has to
/// be used up first.
const BATCHES_MAX: usize = 2_000;
/// The number of calls in each phase: before the disk is full, while it is full, and after that.
const CALLS: usize = 20;
/// How long the store may take to become ready again.
const TIMEOUT: Duration = Duration::from_mins(1);

/// SQLite rolls back by itself when the disk is full. If the driver then still counts an open transaction, it
/// never commits again.
#[test]
fn bookings_confirmed_after_a_full_disk_are_in_the_file() {
    let disk = SmallDisk::create(12).unwrap();
    let mut inner = disk.command(std::env::current_exe().unwrap());
    inner.args(["--exact", "full_disk::on_a_small_disk", "--nocapture"]);
    let output = inner.env(FOLDER_VARIABLE, disk.folder()).output().unwrap();
    let printed = String::from_utf8_lossy(&output.stdout).into_owned();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && printed.contains("1 passed"), "{printed}{errors}");
}

/// The part of the test above that runs on the small disk. Without one, it does nothing.
#[tokio::test(flavor = "multi_thread")]
async fn on_a_small_disk() {
    let Ok(folder) = std::env::var(FOLDER_VARIABLE) else { return };
    let options = StoreOptions::new(format!("sqlite:{folder}/neticket.db"));
    let store = Store::connect(&options).await.unwrap();
    store.migrate().await.unwrap();
    let event = store.event_create(&new_event(&[1_000_000]), None, at(1)).await.unwrap();
    let buyer = sign_up(&store, "buyer").await.unwrap();
    let mut confirmed = Vec::new();
    for _ in 0..CALLS {
        confirmed.push(book(&store, &event, buyer).await.unwrap());
    }

    SmallDisk::fill_folder(Path::new(&folder)).unwrap();
    let mut batches = 0;
    let refused = loop {
        match book(&store, &event, buyer).await {
            Ok(request) => confirmed.push(request),
            Err(error) => break error,
        }
        batches += 1;
        assert!(batches < BATCHES_MAX, "the disk is not full");
    };
    assert!(matches!(refused, StoreError::Unavailable(_)), "{refused:?}");
    let deadline = Instant::now() + TIMEOUT;
    while store.ping().await.is_ok() {
        assert!(Instant::now() < deadline, "a ping fails while the disk is full");
        confirmed.extend(book(&store, &event, buyer).await); // the last refusal has to be recent
    }
    let mut signed_up = Vec::new();
    for n in 0..CALLS {
        // A smaller write than the one that was refused may still fit.
        confirmed.extend(book(&store, &event, buyer).await);
        signed_up.extend(sign_up(&store, &format!("early{n}")).await);
        assert!(store.reservation(confirmed[0].id).await.unwrap().is_some(), "reads still work");
    }

    fs::remove_file(Path::new(&folder).join("filler")).unwrap();
    for n in 0..CALLS {
        confirmed.push(book(&store, &event, buyer).await.unwrap());
        // This transaction is rolled back.
        assert!(matches!(store.commit(&confirmed[..1]).await.unwrap()[0], CommitOutcome::Existing(_)));
        signed_up.push(sign_up(&store, &format!("late{n}")).await.unwrap());
    }
    let deadline = Instant::now() + TIMEOUT;
    while let Err(error) = store.ping().await {
        assert!(Instant::now() < deadline, "there is room again: {error:?}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let other = Store::connect(&options).await.unwrap();
    let ids: Vec<_> = confirmed.iter().map(|request| request.id).collect();
    let found = other.reservations(&ids).await.unwrap();
    assert_eq!(found.len(), confirmed.len(), "every confirmed reservation is in the file");
    for user in signed_up {
        assert!(other.user_by_id(user).await.unwrap().is_some(), "{user} has signed up");
    }
    let seats = other.inventory_audit(Some(event.id)).await.unwrap()[0];
    assert_eq!(seats.capacity, seats.left + seats.confirmed, "{seats:?}");
    assert_eq!(
        usize::try_from(seats.confirmed).unwrap(),
        confirmed.len(),
        "no refused reservation is in the file"
    );
}

async fn book(store: &Store, event: &EventRecord, user: UserId) -> Result<CommitRequest, StoreError> {
    let request = one_seat(event, user);
    let outcome = store.commit(&[request]).await?.remove(0);
    assert_eq!(outcome, CommitOutcome::Confirmed);
    Ok(request)
}
