//! The audit log.

use neticket_domain::UserId;
use neticket_store::{AuditOrigin, NewAudit};

use crate::support::{TestStore, at, on_both, source_files};

on_both! {
    async fn audit_entries_are_read_newest_first(store: &TestStore) {
        let entry = |n: i64, actor| NewAudit {
            at: at(n),
            actor,
            action: "event_update".to_owned(),
            target: format!("event/{n}"),
            detail: "제목 🎭".to_owned(),
            ip: "::1".to_owned(),
            before: (n > 0).then(|| serde_json::json!({ "title": "전 🎭 \"1\"", "n": n })),
            after: (n < 9).then(|| serde_json::json!({ "title": "후", "n": null })),
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

    async fn an_audit_entry_names_its_actor_while_the_account_exists(store: &TestStore) {
        let ann = store.user_named("ann").await;
        let by = |actor| AuditOrigin { actor, ip: "::1".to_owned() };
        for (n, actor) in [(0, Some(ann.id)), (1, Some(UserId(987_654))), (2, None)] {
            store.audit_append(&by(actor).did("event_update", "event/1", "", at(n))).await.unwrap();
        }
        let (log, _) = store.audit_page(1, 10).await.unwrap();
        let names: Vec<_> = log.iter().map(|record| record.actor_nickname.as_deref()).collect();
        assert_eq!(names, [None, None, Some("ann")]);
    }
}

/// The application makes the log append-only: only one place writes it, and it only inserts.
#[test]
fn nothing_but_append_writes_the_audit_log() {
    let mut writers = Vec::new();
    for (name, text) in source_files() {
        for line in text.lines() {
            let may_write = line.contains("audit_log::ActiveModel {") || line.contains("audit_log::Entity::");
            let only_reads = line.contains("audit_log::Entity::find()");
            let by_text = line.contains("audit_log")
                && ["UPDATE", "DELETE", "INSERT", "into_table"].iter().any(|word| line.contains(word));
            if (may_write && !only_reads) || by_text {
                writers.push((name.clone(), line.trim().to_owned()));
            }
        }
    }
    let expected = [
        "let row = audit_log::ActiveModel {",
        "audit_log::Entity::insert(row).exec_without_returning(connection).await.map(drop)",
    ];
    assert_eq!(writers, expected.map(|line| ("audit_log.rs".to_owned(), line.to_owned())));
}
