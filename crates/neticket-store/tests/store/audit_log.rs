//! The audit log.

use neticket_domain::UserId;
use neticket_store::NewAudit;

use crate::support::{TestStore, at, on_both};

on_both! {
    async fn what_was_done_is_read_newest_first(store: &TestStore) {
        let entry = |n: i64, actor| NewAudit {
            at: at(n),
            actor,
            action: "event_update".to_owned(),
            target: format!("event/{n}"),
            detail: "제목 🎭".to_owned(),
            ip: "::1".to_owned(),
        };
        for n in 0..5 {
            store.audit_append(&entry(n, Some(UserId(n)))).await.unwrap();
        }
        store.audit_append(&entry(9, None)).await.unwrap();
        let (first, total) = store.audit_page(1, 2).await.unwrap();
        assert_eq!(total, 6);
        let entries: Vec<_> = first.into_iter().map(|record| record.entry).collect();
        assert_eq!(entries, [entry(9, None), entry(4, Some(UserId(4)))]);
        let (last, _) = store.audit_page(3, 2).await.unwrap();
        assert_eq!(last[1].entry.target, "event/0");
        assert!(store.audit_page(4, 2).await.unwrap().0.is_empty());
    }
}
