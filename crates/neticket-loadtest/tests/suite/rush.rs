//! Rushes on real nodes.

use neticket_loadtest::{ClientReport, Database, audit};
use neticket_testkit::{TestEnv, on_both};

use crate::{loadtest, words};

on_both! {
    async fn a_rush_on_too_few_seats_sells_exactly_these_seats_and_passes_its_audit(backends: Backends) {
        let mut env = TestEnv::new(backends).await;
        let server = env.server().await;
        let folder = tempfile::tempdir().unwrap();
        let html = folder.path().join("run.html");
        let (output, run) = loadtest(
            folder.path(),
            &[
                "rush",
                "--target",
                &server.url,
                "--database-url",
                &env.config.database_url,
                "--jwt-secret",
                env.config.jwt_secret.as_deref().unwrap(),
                "--people",
                "300",
                "--seats",
                "100",
                "--ramp-ms",
                "300",
                "--processes",
                "2",
                "--html",
                html.to_str().unwrap(),
            ],
        )
        .await;
        assert!(output.status.success(), "{}", words(&output));
        let run = run.unwrap();
        assert_eq!((run.counts.begun, run.counts.confirmed, run.counts.sold_out), (300, 100, 200));
        assert_eq!((run.counts.final_errors, run.counts.wrong_answers), (0, 0), "{:?}", run.counts);
        assert_eq!((run.latency.winners.count, run.latency.losers.count), (100, 200));
        let found = run.audit.unwrap();
        assert!(found.passed, "{:?}", found.faults);
        assert_eq!((found.reported, found.stored, found.seats_gone), (100, 100, 100));
        assert!(!run.command.contains(env.config.jwt_secret.as_deref().unwrap()), "{}", run.command);
        let page = std::fs::read_to_string(html).unwrap();
        assert!(page.contains("<svg") && !page.contains("<script"));

        // A negative control: the audit of the same event, as if no client had been told anything.
        let database = Database::connect(&env.config.database_url).await.unwrap();
        let report = ClientReport {
            event: run.config.event,
            max_per_user: run.config.max_per_user,
            confirmed: Vec::new(),
            unknown_users: Vec::new(),
            wrong_answers: 0,
            before: Default::default(),
        };
        let found = audit(&database, std::slice::from_ref(&server.url), &report, std::time::Duration::ZERO)
            .await
            .unwrap();
        assert!(
            found.faults[0]
                .contains("100 reservations are confirmed in the store but were never confirmed to a client"),
            "{found:?}"
        );
        env.finish().await;
    }

    async fn a_closed_loop_books_only_for_people_below_their_limit(backends: Backends) {
        let mut env = TestEnv::new(backends).await;
        let server = env.server().await;
        let folder = tempfile::tempdir().unwrap();
        let (output, run) = loadtest(
            folder.path(),
            &[
                "book",
                "--target",
                &server.url,
                "--database-url",
                &env.config.database_url,
                "--jwt-secret",
                env.config.jwt_secret.as_deref().unwrap(),
                "--connections",
                "8",
                "--people",
                "400",
                "--seconds",
                "1",
                "--warmup-s",
                "0",
            ],
        )
        .await;
        assert!(output.status.success(), "{}", words(&output));
        let run = run.unwrap();
        assert!(run.counts.confirmed > 0, "{:?}", run.counts);
        assert_eq!(run.counts.confirmed, run.counts.begun, "{:?}", run.counts);
        assert_eq!(run.counts.errors_total(), 0, "{:?}", run.counts);
        assert!(run.audit.unwrap().passed);
        assert!(run.client.cpu_us_per_request > 0.0);
        env.finish().await;
    }
}
