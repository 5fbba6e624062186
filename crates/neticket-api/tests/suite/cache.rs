//! Administrators clear the cache of events.

use neticket_testkit::{World, on_both};
use reqwest::Method;

on_both! {
    async fn forgetting_copies_says_nothing_and_is_in_the_audit_log(parts: Parts) {
        let mut world = World::new(parts).await;
        let site = world.site().await;
        let event = world.event_on_sale(&[10], 4).await;
        let admin = site.admin(1).await;
        let tag = site.get(&format!("/api/v1/events/{}", event.id), None).await.header("etag").to_owned();
        let there = format!("/api/v1/admin/cache/events/{}", event.id);
        for path in [there.as_str(), "/api/v1/admin/cache", "/api/v1/admin/cache/events/987654"] {
            let answer = site.ask(Method::DELETE, path, Some(&admin.token), None).await;
            assert_eq!((answer.status, answer.text.as_str()), (204, ""), "{path}");
        }
        assert_eq!(site.ask(Method::DELETE, "/api/v1/admin/cache/events/x", Some(&admin.token), None).await.status, 404);
        let (entries, _) = world.store.audit_page(1, 10).await.unwrap();
        let entries: Vec<_> = entries.into_iter().filter(|record| record.entry.action.starts_with("cache")).collect();
        let mut told: Vec<(&str, &str)> =
            entries.iter().map(|record| (record.entry.action.as_str(), record.entry.target.as_str())).collect();
        told.sort_unstable();
        let target = format!("event/{}", event.id);
        let mut expected =
            [("cache_clear", "cache"), ("cache_clear_event", "event/987654"), ("cache_clear_event", target.as_str())];
        expected.sort_unstable();
        assert_eq!(told, expected);
        assert!(entries.iter().all(|record| record.entry.actor == Some(admin.id) && !record.entry.ip.is_empty()));
        let again = site.get(&format!("/api/v1/events/{}", event.id), None).await;
        assert_eq!(again.header("etag"), tag, "what is the same has the same tag");
        world.finish().await;
    }

    async fn the_same_event_has_the_same_tag_on_every_node(parts: Parts) {
        let mut world = World::new(parts).await;
        let sites = [world.site().await, world.site().await];
        let event = world.event_on_sale(&[10], 4).await;
        let path = format!("/api/v1/events/{}", event.id);
        let tag = sites[0].get(&path, None).await.header("etag").to_owned();
        for site in &sites {
            let known = site.request(Method::GET, &path).header("if-none-match", &tag).send().await.unwrap();
            assert_eq!(known.status(), 304);
        }
        world.finish().await;
    }
}
