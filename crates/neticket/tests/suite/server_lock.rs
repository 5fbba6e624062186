//! Only one server at a time can use an embedded store. Commands work next to it.

use std::os::unix::process::ExitStatusExt as _;
use std::path::Path;

use crate::process::{Serving, borrowed, embedded, neticket, printed, refused_to_serve, run, run_with_input};

/// Kills the server, as a power cut would, and waits until the process is gone.
fn kill(mut serving: Serving) {
    serving.child.kill().unwrap();
    assert_eq!(serving.child.wait().unwrap().signal(), Some(9));
}

fn serve(settings: &[(&'static str, String)]) -> Serving {
    Serving::start(neticket(&["serve"], &borrowed(settings)))
}

#[test]
fn a_second_server_on_one_data_folder_is_refused_and_the_first_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let settings = embedded(folder.path());
    let first = serve(&settings);
    for _ in 0..2 {
        let refusal = refused_to_serve(&borrowed(&settings));
        for named in [folder.path().to_str().unwrap(), &format!("process {},", first.child.id()), &first.url]
        {
            assert!(refusal.contains(named), "{named} is not in {refusal}");
        }
        let errors: Vec<_> = refusal.lines().filter(|line| line.starts_with("error: ")).collect();
        assert_eq!(errors.len(), 1, "the refusal must be one line: {refusal}");
    }
    assert_eq!(first.terminate().0, Some(0));
    let second = serve(&settings);
    assert_eq!(second.terminate().0, Some(0));
}

#[test]
fn a_killed_server_leaves_no_lock() {
    let folder = tempfile::tempdir().unwrap();
    let settings = embedded(folder.path());
    let first = serve(&settings);
    refused_to_serve(&borrowed(&settings));
    kill(first);
    let second = serve(&settings);
    let refusal = refused_to_serve(&borrowed(&settings));
    assert!(refusal.contains(&format!("process {},", second.child.id())), "{refusal}");
    assert_eq!(second.terminate().0, Some(0));
}

#[test]
fn a_database_in_another_servers_folder_and_a_folder_of_another_database_are_refused() {
    let (folder, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let first = serve(&embedded(folder.path()));
    let own = |folder: &Path, database: String| {
        let mut settings = embedded(folder);
        settings.push(("NETICKET_DATABASE_URL", database));
        settings
    };
    let path = folder.path().display();
    for database in [format!("sqlite:{path}/neticket.db"), format!("sqlite://{path}/neticket.db?mode=rwc")] {
        let refusal = refused_to_serve(&borrowed(&own(other.path(), database)));
        assert!(refusal.contains("the database ") && refusal.contains(&first.url), "{refusal}");
    }
    let database = format!("sqlite:{}/other.db", other.path().display());
    let refusal = refused_to_serve(&borrowed(&own(folder.path(), database)));
    assert!(refusal.contains("the data folder ") && refusal.contains(&first.url), "{refusal}");
    assert_eq!(first.terminate().0, Some(0));
}

#[test]
fn commands_work_beside_a_server() {
    let folder = tempfile::tempdir().unwrap();
    let settings = embedded(folder.path());
    let first = serve(&settings);
    let create = ["admin", "create", "--email", "boss@example.com", "--nickname", "boss", "--password-stdin"];
    let created = run_with_input(&create, &borrowed(&settings), "Abcdef1!\n");
    assert!(created.status.success(), "{}", printed(&created));
    for command in [&["admin", "list"][..], &["doctor"], &["migrate"], &["seed", "--demo"]] {
        let done = run(command, &borrowed(&settings));
        assert!(done.status.success(), "{command:?}: {}", printed(&done));
    }
    refused_to_serve(&borrowed(&settings));
    assert_eq!(first.terminate().0, Some(0));
}
