//! What each command does, and what it prints if it is refused.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpStream;
use std::path::Path;

use neticket_testkit::servers::{Redis, Server, TestDatabase, redis_url, unique_prefix};

use crate::process::{borrowed, embedded, printed, refused_to_serve, run};

/// The settings of a valid node in production. The database is not migrated yet.
fn production(folder: &Path, database: &TestDatabase, redis: &Server) -> Vec<(&'static str, String)> {
    vec![
        ("NETICKET_DATA_DIR", folder.display().to_string()),
        ("NETICKET_LISTEN", "127.0.0.1:0".to_owned()),
        ("NETICKET_ENV", "production".to_owned()),
        ("NETICKET_PUBLIC_URL", "https://tickets.example".to_owned()),
        ("NETICKET_JWT_SECRET", "a-secret-that-nobody-may-see-0123456789".to_owned()),
        ("NETICKET_DATABASE_URL", database.url()),
        ("NETICKET_REDIS_URL", redis.url()),
    ]
}

fn migrate(settings: &[(&'static str, String)]) {
    let migrated = run(&["migrate"], &borrowed(settings));
    assert!(migrated.status.success(), "{}", printed(&migrated));
}

#[test]
fn seeding_demo_data_is_repeatable_and_refused_in_production() {
    let folder = tempfile::tempdir().unwrap();
    let settings = embedded(folder.path());
    let first = run(&["seed", "--demo"], &borrowed(&settings));
    assert!(first.status.success(), "{}", printed(&first));
    assert!(
        printed(&first).contains("demo@neticket.example")
            && printed(&first).contains("admin@neticket.example")
    );
    let second = run(&["seed", "--demo"], &borrowed(&settings));
    assert!(second.status.success(), "{}", printed(&second));
    let fresh = tempfile::tempdir().unwrap();
    let mut production = embedded(fresh.path());
    production.push(("NETICKET_ENV", "production".to_owned()));
    let refused = run(&["seed", "--demo"], &borrowed(&production));
    assert_eq!(refused.status.code(), Some(1), "{}", printed(&refused));
    assert!(printed(&refused).contains("production"), "{}", printed(&refused));
}

#[test]
fn production_does_not_start_with_development_settings() {
    let folder = tempfile::tempdir().unwrap();
    let mut settings = embedded(folder.path());
    settings.push(("NETICKET_ENV", "production".to_owned()));
    let refused = run(&["serve"], &borrowed(&settings));
    assert_eq!(refused.status.code(), Some(1));
    for name in ["NETICKET_JWT_SECRET", "NETICKET_PUBLIC_URL", "NETICKET_RATE_LIMIT"] {
        assert!(printed(&refused).contains(name), "{name} in {}", printed(&refused));
    }
}

#[test]
fn a_shared_database_is_migrated_only_by_command() {
    let database = TestDatabase::create().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let mut settings = embedded(folder.path());
    settings.push(("NETICKET_DATABASE_URL", database.url()));
    settings.push(("NETICKET_REDIS_URL", redis_url().unwrap()));
    settings.push(("NETICKET_REDIS_PREFIX", unique_prefix()));
    let behind = run(&["serve"], &borrowed(&settings));
    assert_eq!(behind.status.code(), Some(1));
    assert!(printed(&behind).contains("neticket migrate"), "{}", printed(&behind));
    let migrated = run(&["migrate"], &borrowed(&settings));
    assert!(migrated.status.success(), "{}", printed(&migrated));
    let healthy = run(&["doctor"], &borrowed(&settings));
    assert!(healthy.status.success(), "{}", printed(&healthy));
}

#[test]
fn doctor_reports_what_does_not_answer_and_hides_secrets() {
    let folder = tempfile::tempdir().unwrap();
    let mut settings = embedded(folder.path());
    settings.push(("NETICKET_REDIS_URL", "redis://:hunter2secret@127.0.0.1:1".to_owned()));
    settings.push(("NETICKET_JWT_SECRET", "a-secret-that-nobody-may-see-0123456789".to_owned()));
    let sick = run(&["doctor"], &borrowed(&settings));
    assert_eq!(sick.status.code(), Some(1), "{}", printed(&sick));
    for secret in ["hunter2secret", "a-secret-that-nobody-may-see"] {
        assert!(!printed(&sick).contains(secret), "{}", printed(&sick));
    }
}

#[test]
fn production_refuses_a_redis_that_evicts_and_doctor_reports_it_and_the_missing_proxies() {
    let (database, redis) = (TestDatabase::create().unwrap(), Redis::default().start().unwrap());
    let folder = tempfile::tempdir().unwrap();
    let production = production(folder.path(), &database, &redis);
    migrate(&production);
    let settings = borrowed(&production);
    let sound = run(&["doctor"], &settings);
    assert!(sound.status.success(), "{}", printed(&sound));
    assert!(printed(&sound).contains("maxmemory-policy is noeviction"), "{}", printed(&sound));
    assert!(printed(&sound).contains("NETICKET_TRUSTED_PROXIES"), "{}", printed(&sound));

    let address = redis.url().trim_start_matches("redis://").trim_end_matches('/').to_owned();
    let mut connection = BufReader::new(TcpStream::connect(address).unwrap());
    connection.get_mut().write_all(b"CONFIG SET maxmemory-policy allkeys-lru\r\n").unwrap();
    let mut answer = String::new();
    connection.read_line(&mut answer).unwrap();
    assert_eq!(answer, "+OK\r\n");
    for command in ["doctor", "serve"] {
        let refused = run(&[command], &settings);
        assert_eq!(refused.status.code(), Some(1), "{command}: {}", printed(&refused));
        assert!(printed(&refused).contains("allkeys-lru"), "{command}: {}", printed(&refused));
    }
}

#[test]
fn production_refuses_a_redis_that_does_not_persist_and_doctor_reports_it() {
    let database = TestDatabase::create().unwrap();
    let redis = Redis { append_only: false, ..Redis::default() }.start().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let production = production(folder.path(), &database, &redis);
    migrate(&production);
    for command in ["doctor", "serve"] {
        let refused = run(&[command], &borrowed(&production));
        assert_eq!(refused.status.code(), Some(1), "{command}: {}", printed(&refused));
        assert!(printed(&refused).contains("appendonly"), "{command}: {}", printed(&refused));
    }
}

#[test]
fn production_refuses_a_redis_without_a_shared_database_in_serve_and_doctor() {
    let (database, redis) = (TestDatabase::create().unwrap(), Redis::default().start().unwrap());
    let folder = tempfile::tempdir().unwrap();
    for name in ["", "NETICKET_DATABASE_URI"] {
        let mut misspelt = production(folder.path(), &database, &redis);
        misspelt.retain(|(variable, _)| *variable != "NETICKET_DATABASE_URL");
        misspelt.extend((!name.is_empty()).then(|| (name, database.url())));
        let refusal = refused_to_serve(&borrowed(&misspelt));
        assert!(refusal.contains("NETICKET_DATABASE_URL must name a shared database"), "{refusal}");
        let output = run(&["doctor"], &borrowed(&misspelt));
        assert_eq!(output.status.code(), Some(1), "{}", printed(&output));
        assert!(
            printed(&output).contains("NETICKET_DATABASE_URL must name a shared database"),
            "{}",
            printed(&output)
        );
        assert!(!folder.path().join("neticket.db").exists(), "the command created its own database");
    }
}

#[test]
fn outside_production_doctor_warns_of_a_redis_without_a_shared_database() {
    let folder = tempfile::tempdir().unwrap();
    let mut settings = embedded(folder.path());
    settings.push(("NETICKET_REDIS_URL", redis_url().unwrap()));
    let output = run(&["doctor"], &borrowed(&settings));
    assert!(output.status.success(), "{}", printed(&output));
    assert!(printed(&output).contains("WARNING NETICKET_REDIS_URL is set"), "{}", printed(&output));
}

#[test]
fn the_served_document_matches_the_committed_one() {
    let committed = include_str!("../../../../openapi/neticket-v1.json");
    let printed = run(&["openapi"], &[]);
    assert!(printed.status.success());
    assert!(String::from_utf8_lossy(&printed.stdout) == committed, "run `cargo xtask openapi`");
}

#[test]
fn an_invalid_setting_is_named() {
    let refused = run(&["serve"], &[("NETICKET_LISTEN", "here")]);
    assert_eq!(refused.status.code(), Some(1));
    assert!(printed(&refused).contains("NETICKET_LISTEN"), "{}", printed(&refused));
}
