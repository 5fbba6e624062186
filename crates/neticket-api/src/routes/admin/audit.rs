//! The audit log of administrators.

use actix_web::web::{Data, Json};
use neticket_contract::{AuditEntry, Page, PageQuery};

use crate::error::ApiError;
use crate::extract::caller::Admin;
use crate::extract::query::ValidQuery;
use crate::state::State;
use crate::wire;

/// List the audit log
///
/// What administrators have done, newest first. Entries are added and never changed.
#[utoipa::path(get, path = "/api/v1/admin/audit", tag = "Administration", security(("access" = [])),
    params(PageQuery), responses(
    (status = 200, description = "A page of entries.", body = Page<AuditEntry>),
))]
pub(crate) async fn audit_list(
    state: Data<State>,
    _user: Admin,
    query: ValidQuery<PageQuery>,
) -> Result<Json<Page<AuditEntry>>, ApiError> {
    let PageQuery { page, size } = query.0;
    let entries = state.app.audit_page(page, size).await?;
    Ok(Json(wire::page(entries, page, size, wire::audit_entry)))
}
