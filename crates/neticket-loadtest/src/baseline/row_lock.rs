//! The row lock: how most shops sell. Each booking locks the row of its ticket type, checks it, takes the
//! seats, inserts the reservation and commits. All other bookings of that ticket type wait for the disk
//! meanwhile.

use actix_web::HttpResponse;
use actix_web::error::{ErrorInternalServerError, ErrorServiceUnavailable};
use actix_web::web::{self, Data, Json, Path};
use anyhow::Context as _;
use neticket_contract::{EventDetail, ReservationCreateRequest};
use sqlx::Executor as _;
use sqlx::mysql::{MySqlPool, MySqlPoolOptions};
use uuid::Uuid;

use super::args::RowLockArgs;
use super::http::{self, Caller};
use super::tables::{self, Row};

/// A few per ticket type and core. More would only wait inside the database instead of here.
const CONNECTIONS_MAX: u32 = 32;

struct State {
    pool: MySqlPool,
    event: EventDetail,
}

pub(super) fn serve(args: &RowLockArgs) -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    let state = Data::new(runtime.block_on(open(&args.database_url, args.ticket_types))?);
    // The runtime that opened the connections drives them, so it has to outlive the server.
    http::serve(args.listen, &args.jwt_secret, move |config| {
        config
            .app_data(state.clone())
            .route("/api/v1/reservations", web::post().to(book))
            .route("/api/v1/events/{id}", web::get().to(event_detail));
    })
}

async fn open(database_url: &str, ticket_types: u32) -> anyhow::Result<State> {
    let pool = MySqlPoolOptions::new()
        .max_connections(CONNECTIONS_MAX)
        .after_connect(|connection, _| {
            Box::pin(async move { connection.execute(tables::READ_COMMITTED).await.map(|_| ()) })
        })
        .connect(database_url)
        .await
        .context("cannot connect to the database")?;
    let event = tables::make_event(&pool, ticket_types)
        .await
        .context("cannot create the event, perhaps because the schema is missing")?;
    println!("the event is {}", event.summary.id);
    Ok(State { pool, event })
}

async fn book(
    state: Data<State>,
    caller: Caller,
    body: Json<ReservationCreateRequest>,
) -> actix_web::Result<HttpResponse> {
    let ticket_types = &state.event.ticket_types;
    let Some(ticket_type) = ticket_types.iter().find(|ticket_type| ticket_type.id == body.ticket_type_id)
    else {
        return Ok(HttpResponse::NotFound().finish());
    };
    let row = Row {
        id: Uuid::new_v4(),
        user: caller.0,
        event: state.event.summary.id,
        ticket_type: ticket_type.id,
        quantity: body.quantity,
        unit_price: ticket_type.price,
    };
    match sell(&state.pool, &row).await {
        Ok(true) => Ok(http::created(&state.event, ticket_type, row.id, row.quantity)),
        Ok(false) => Ok(HttpResponse::Conflict().finish()),
        Err(error @ sqlx::Error::PoolTimedOut) => Err(ErrorServiceUnavailable(error)),
        Err(error) => Err(ErrorInternalServerError(error)),
    }
}

/// Returns `false` if not enough seats are left.
async fn sell(pool: &MySqlPool, row: &Row) -> sqlx::Result<bool> {
    let mut transaction = pool.begin().await?;
    let left: i64 = sqlx::query_scalar("SELECT `left` FROM ticket_types WHERE id = ? FOR UPDATE")
        .bind(row.ticket_type)
        .fetch_one(&mut *transaction)
        .await?;
    if left < i64::from(row.quantity) {
        transaction.rollback().await?;
        return Ok(false);
    }
    sqlx::query("UPDATE ticket_types SET `left` = `left` - ? WHERE id = ?")
        .bind(row.quantity)
        .bind(row.ticket_type)
        .execute(&mut *transaction)
        .await?;
    tables::insert(&mut transaction, row).await?;
    transaction.commit().await?;
    Ok(true)
}

async fn event_detail(state: Data<State>, _: Path<i64>) -> HttpResponse {
    HttpResponse::Ok().json(&state.event)
}
