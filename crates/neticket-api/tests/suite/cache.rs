//! Administrators clear the cache of events.

use neticket_testkit::{TestEnv, on_both};
use reqwest::Method;

on_both! {
    async fn clearing_the_cache_answers_204_and_is_audited(backends: Backends) {
        let mut env = TestEnv::new(backends).await;
        let server = env.server().await;
        let event = env.event_on_sale(&[10], 4).await;
        let admin = server.admin(1).await;
        let tag = server.get(&format!("/api/v1/events/{}", event.id), None).await.header("etag").to_owned();
        let there = format!("/api/v1/admin/cache/events/{}", event.id);
        for path in [there.as_str(), "/api/v1/admin/cache", "/api/v1/admin/cache/events/987654"] {
            let answer = server.ask(Method::DELETE, path, Some(&admin.token), None).await;
            assert_eq!((answer.status, answer.text.as_str()), (204, ""), "{path}");
        }
        assert_eq!(
            server.ask(Method::DELETE, "/api/v1/admin/cache/events/x", Some(&admin.token), None).await.status,
            404
        );
        let (entries, _) = env.store.audit_page(1, 10).await.unwrap();
        let entries: Vec<_> =
            entries.into_iter().filter(|record| record.entry.action.starts_with("cache")).collect();
        let mut audited: Vec<(&str, &str)> = entries
            .iter()
            .map(|record| (record.entry.action.as_str(), record.entry.target.as_str()))
            .collect();
        audited.sort_unstable();
        let target = format!("event/{}", event.id);
        let mut expected = [
            ("cache_clear", "cache"),
            ("cache_clear_event", "event/987654"),
            ("cache_clear_event", target.as_str()),
        ];
        expected.sort_unstable();
        assert_eq!(audited, expected);
        assert!(
            entries.iter().all(|record| record.entry.actor == Some(admin.id) && !record.entry.ip.is_empty())
        );
        let again = server.get(&format!("/api/v1/events/{}", event.id), None).await;
        assert_eq!(again.header("etag"), tag, "the tag of the same content changed");
        env.finish().await;
    }

    async fn the_same_event_has_the_same_tag_on_every_node(backends: Backends) {
        let mut env = TestEnv::new(backends).await;
        let servers = [env.server().await, env.server().await];
        let event = env.event_on_sale(&[10], 4).await;
        let path = format!("/api/v1/events/{}", event.id);
        let tag = servers[0].get(&path, None).await.header("etag").to_owned();
        for server in &servers {
            let known =
                server.request(Method::GET, &path).header("if-none-match", &tag).send().await.unwrap();
            assert_eq!(known.status(), 304);
        }
        env.finish().await;
    }
}
