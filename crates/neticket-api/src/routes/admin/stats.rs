//! The current state of the service.

use actix_web::web::{Data, Json};
use neticket_app::StatsView;
use neticket_contract::{ProblemCode, ProblemCount, Stats};
use neticket_domain::Timestamp;

use crate::error::ApiError;
use crate::extract::caller::Admin;
use crate::state::State;

/// Get statistics of all nodes
///
/// Latencies are precise to within 4 %.
#[utoipa::path(get, path = "/api/v1/admin/stats", tag = "Administration", security(("access" = [])), responses(
    (status = 200, description = "The statistics. Those of other nodes are at most a few seconds old.", body = Stats),
))]
pub(crate) async fn stats_view(state: Data<State>, _user: Admin) -> Result<Json<Stats>, ApiError> {
    let view = state.app.stats().await;
    Ok(Json(stats(view, state.app.now())))
}

/// Leaves out codes that this version does not know. A node of another version may report them.
fn stats(view: StatsView, server_time: Timestamp) -> Stats {
    let code = |word: &str| ProblemCode::ALL.iter().copied().find(|code| code.as_str() == word);
    let problems = view.refusals.into_iter().filter_map(|(word, count)| Some((code(&word)?, count)));
    let mut problems: Vec<_> = problems.map(|(code, count)| ProblemCount { code, count }).collect();
    problems.sort_by_key(|problem| (std::cmp::Reverse(problem.count), problem.code.as_str()));
    Stats {
        server_time,
        nodes: view.nodes,
        window_s: view.window_s,
        bookings_per_s: view.bookings_per_s,
        p50_ms: view.p50_ms,
        p99_ms: view.p99_ms,
        in_flight: view.in_flight,
        journal_len: view.journal_len,
        drift: view.drift,
        problems,
    }
}
