//! Open streams on real nodes.

use neticket_testkit::{TestEnv, on_both};
use serde_json::Value;

use crate::words;

on_both! {
    async fn every_stream_gets_the_last_booking_and_all_streams_share_the_ledger_reads(backends: Backends) {
        let mut env = TestEnv::new(backends).await;
        let server = env.server().await;
        let folder = tempfile::tempdir().unwrap();
        let json = folder.path().join("streams.json");
        let output = tokio::process::Command::new(env!("CARGO_BIN_EXE_neticket-loadtest"))
            .args([
                "streams",
                "--target",
                &server.url,
                "--database-url",
                &env.config.database_url,
                "--jwt-secret",
                env.config.jwt_secret.as_deref().unwrap(),
                "--streams",
                "60",
                "--seconds",
                "2",
                "--json",
                json.to_str().unwrap(),
            ])
            .output()
            .await
            .unwrap();
        assert!(output.status.success(), "{}", words(&output));
        let found: Value = serde_json::from_str(&std::fs::read_to_string(json).unwrap()).unwrap();
        let number = |name: &str| found[name].as_f64().unwrap();
        assert!(number("bookings") >= 2.0 && number("unheard") == 0.0, "{found}");
        assert!(number("frames") >= 60.0 && number("frames") <= 60.0 * number("bookings"), "{found}");
        assert!(number("push_p50_us") > 0.0 && number("push_p50_us") <= number("push_p99_us"), "{found}");
        // One read per interval of 250 ms, and not one per stream.
        assert!((0.5..=5.0).contains(&number("ledger_views_per_s")), "{found}");
        env.finish().await;
    }
}
