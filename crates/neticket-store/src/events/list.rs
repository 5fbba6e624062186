//! The list of events. The database searches, filters and orders it, with one query per page.

use neticket_domain::{EventId, EventStatus, SearchWords, Timestamp};
use sea_orm::sea_query::{CaseStatement, Cond, Expr, Func, LikeExpr, Order, Query, SelectStatement};
use sea_orm::{ConnectionTrait, DbErr, ExprTrait, FromQueryResult};

use crate::entity::{event, ticket_type};
use crate::{Store, StoreError, convert};

/// Which events a list shows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EventFilter {
    /// Each word must occur in the title or the place.
    pub words: SearchWords,
    /// Only events that have this status at the time of the query.
    pub status: Option<EventStatus>,
    /// Whether events that have started are included.
    pub include_past: bool,
}

/// An event as a list shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EventSummaryRecord {
    pub id: EventId,
    pub title: String,
    pub place: String,
    pub starts_at: Timestamp,
    pub opens_at: Timestamp,
    pub closes_at: Timestamp,
    /// The status at the time of the query, by the seats left in the store.
    pub status: EventStatus,
    /// The lowest price, in won. 0 if there are no ticket types.
    pub price_from: u64,
    pub image_key: Option<String>,
}

#[derive(FromQueryResult)]
struct SummaryRow {
    id: i64,
    title: String,
    place: String,
    starts_at: i64,
    opens_at: i64,
    closes_at: i64,
    status: String,
    price_from: Option<i64>,
    image_key: Option<String>,
}

impl Store {
    /// Page `page` (from 1) with `size` events as they are at `now`, and the number of all events that match.
    /// Events on sale come first, then those that open later, then the rest. Within each group they are
    /// ordered by start, then by id.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn events_page(
        &self,
        filter: &EventFilter,
        now: Timestamp,
        page: u32,
        size: u32,
    ) -> Result<(Vec<EventSummaryRecord>, u64), StoreError> {
        let page = page_statement(filter, now, page, size);
        let count = filtered(filter, now)
            .expr_as(Func::count(Expr::col((event::Entity, event::Column::Id))), "total")
            .to_owned();
        self.with_retries("listing events", || async {
            let rows = self.reader().query_all(&page).await?;
            let rows = rows.iter().map(|row| SummaryRow::from_query_result(row, "")?.try_into());
            let summaries = rows.collect::<Result<_, DbErr>>()?;
            let total = match self.reader().query_one(&count).await? {
                Some(row) => convert::from_column(row.try_get::<i64>("", "total")?)?,
                None => 0,
            };
            Ok((summaries, total))
        })
        .await
    }
}

fn page_statement(filter: &EventFilter, now: Timestamp, page: u32, size: u32) -> SelectStatement {
    use event::Column;
    let columns = [
        Column::Id,
        Column::Title,
        Column::Place,
        Column::StartsAt,
        Column::OpensAt,
        Column::ClosesAt,
        Column::ImageKey,
    ];
    let price_from = of_event(Query::select().expr(Expr::col(ticket_type::Column::Price).min()));
    filtered(filter, now)
        .columns(columns.map(|column| (event::Entity, column)))
        .expr_as(status(now), "status")
        .expr_as(Expr::SubQuery(None, Box::new(price_from.into())), "price_from")
        .order_by_expr(rank(now), Order::Asc)
        .order_by((event::Entity, Column::StartsAt), Order::Asc)
        .order_by((event::Entity, Column::Id), Order::Asc)
        .limit(u64::from(size))
        .offset(convert::offset(page, size))
        .to_owned()
}

/// The events that `filter` accepts, without any selected columns.
fn filtered(filter: &EventFilter, now: Timestamp) -> SelectStatement {
    let mut condition = Cond::all();
    for word in filter.words.iter() {
        let pattern = LikeExpr::new(SearchWords::like_pattern(word)).escape('!');
        condition = condition.add(Expr::col(event::Column::SearchText).like(pattern));
    }
    if !filter.include_past {
        condition = condition.add(Expr::col(event::Column::StartsAt).gt(now.as_millis()));
    }
    if let Some(wanted) = filter.status {
        condition = condition.add(status(now).eq(wanted.as_str()));
    }
    Query::select().from(event::Entity).cond_where(condition).to_owned()
}

/// [`EventStatus::of`] in SQL. A property test compares the two.
fn status(now: Timestamp) -> Expr {
    let now = now.as_millis();
    CaseStatement::new()
        .case(Expr::col(event::Column::CancelledAt).is_not_null(), EventStatus::Cancelled.as_str())
        .case(Expr::col(event::Column::OpensAt).gt(now), EventStatus::Scheduled.as_str())
        .case(Expr::col(event::Column::ClosesAt).lte(now), EventStatus::Closed.as_str())
        .case(Expr::col(event::Column::Paused).eq(true), EventStatus::Paused.as_str())
        .case(some_left(), EventStatus::OnSale.as_str())
        .finally(EventStatus::SoldOut.as_str())
        .into()
}

/// 0 for events on sale, 1 for events that open later, 2 for the rest.
fn rank(now: Timestamp) -> Expr {
    CaseStatement::new()
        .case(status(now).eq(EventStatus::OnSale.as_str()), 0)
        .case(status(now).eq(EventStatus::Scheduled.as_str()), 1)
        .finally(2)
        .into()
}

/// Whether any seat is left. This is not a sum, because not every row has to be read, and sums are `DECIMAL`
/// on MariaDB.
fn some_left() -> Expr {
    let with_seats = of_event(Query::select().expr(Expr::val(1)))
        .and_where(Expr::col(ticket_type::Column::Left).gt(0))
        .to_owned();
    Expr::exists(with_seats)
}

/// Completes `select` with the ticket types of the outer query's event.
fn of_event(select: &mut SelectStatement) -> SelectStatement {
    select
        .from(ticket_type::Entity)
        .and_where(
            Expr::col((ticket_type::Entity, ticket_type::Column::EventId))
                .equals((event::Entity, event::Column::Id)),
        )
        .to_owned()
}

impl TryFrom<SummaryRow> for EventSummaryRecord {
    type Error = DbErr;

    fn try_from(row: SummaryRow) -> Result<Self, DbErr> {
        let status = EventStatus::parse(&row.status)
            .ok_or_else(|| DbErr::Type(format!("unknown status {}", row.status)))?;
        Ok(Self {
            id: EventId(row.id),
            title: row.title,
            place: row.place,
            starts_at: convert::moment(row.starts_at),
            opens_at: convert::moment(row.opens_at),
            closes_at: convert::moment(row.closes_at),
            status,
            price_from: convert::from_column(row.price_from.unwrap_or(0))?,
            image_key: row.image_key,
        })
    }
}
