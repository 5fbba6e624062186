//! A small disk for one test, which the test can fill.
//!
//! It is a tmpfs in its own user and mount namespace, so that tests need neither root nor a partition. A
//! process holds the namespace. It ends when this process ends in any way, and then the disk is gone.

use std::ffi::OsStr;
use std::fs::File;
use std::io::{BufRead as _, BufReader, ErrorKind, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::{fs, io};

use anyhow::{Context as _, Result, ensure};
use tempfile::TempDir;

use crate::process_guard;

/// Mounts the disk on `$0` with the size `$1`, and holds it until the standard input ends.
const HOLD: &str = "mount -t tmpfs -o size=\"$1\" tmpfs \"$0\" && echo mounted && exec cat";
const FILLER: &str = "filler";
/// The sizes of the pieces that fill the disk. The last one is small, so that in the end nothing fits.
const PIECES: [usize; 2] = [65_536, 4_096];

/// A disk. Only programs started with [`command`](Self::command) see it in its folder.
#[derive(Debug)]
pub struct SmallDisk {
    holder: Child,
    folder: TempDir,
}

impl SmallDisk {
    /// Creates an empty disk.
    ///
    /// # Errors
    /// This machine does not allow it: user namespaces are switched off, or util-linux is not installed.
    pub fn create(megabytes: u32) -> Result<Self> {
        process_guard::sweep_leftovers();
        let folder = tempfile::Builder::new().prefix(&process_guard::folder_prefix("disk")).tempdir()?;
        let mut unshare = Command::new("unshare");
        unshare.args(["--user", "--map-root-user", "--mount", "--", "sh", "-c", HOLD]).arg(folder.path());
        unshare.arg(format!("{megabytes}m")).stdin(Stdio::piped()).stdout(Stdio::piped());
        let holder = unshare.spawn().context("cannot run unshare from util-linux")?;
        let mut disk = Self { holder, folder };
        let mut line = String::new();
        BufReader::new(disk.holder.stdout.take().context("the process has no standard output")?)
            .read_line(&mut line)?;
        ensure!(
            line.trim() == "mounted",
            "cannot mount a disk for tests: user namespaces must be allowed (`unshare --user --map-root-user --mount`)"
        );
        Ok(disk)
    }

    /// The folder in which programs started with [`command`](Self::command) see the disk.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// The folder in which this process sees the disk. It does not work for programs that resolve links
    /// themselves (SQLite, MariaDB).
    pub fn from_outside(&self) -> PathBuf {
        let folder = self.folder().strip_prefix("/").unwrap_or(self.folder());
        PathBuf::from(format!("/proc/{}/root", self.holder.id())).join(folder)
    }

    /// A command that runs `program` where it can see the disk. The kernel kills the program when the process
    /// that spawned it ends, as with [`dying_with_parent`](crate::dying_with_parent).
    pub fn command(&self, program: impl AsRef<OsStr>) -> Command {
        let mut command = Command::new("nsenter");
        command.args(["--user", "--mount", "--preserve-credentials", "--target"]);
        command.arg(self.holder.id().to_string()).args(["--", "setpriv", "--pdeathsig", "KILL", "--"]);
        command.arg(program);
        command
    }

    /// Writes until nothing more fits.
    ///
    /// # Errors
    /// Writing fails for another reason.
    pub fn fill(&self) -> Result<()> {
        Self::fill_folder(&self.from_outside())
    }

    /// The same for a program that sees the disk in `folder`.
    ///
    /// # Errors
    /// Writing fails for another reason.
    pub fn fill_folder(folder: &Path) -> Result<()> {
        let mut filler = File::create(folder.join(FILLER))?;
        for piece in PIECES {
            while write_piece(&mut filler, piece)? {}
        }
        Ok(())
    }

    /// Frees the space again.
    ///
    /// # Errors
    /// The disk was not filled.
    pub fn free(&self) -> Result<()> {
        fs::remove_file(self.from_outside().join(FILLER)).context("the disk was not filled")
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        // An error means that the process has ended already.
        let _ = self.holder.kill();
        let _ = self.holder.wait();
    }
}

/// Returns whether the piece fitted.
fn write_piece(filler: &mut File, len: usize) -> io::Result<bool> {
    match filler.write_all(&vec![0; len]) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == ErrorKind::StorageFull => Ok(false),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_disk_refuses_writes_until_space_is_freed() {
        let disk = SmallDisk::create(2).unwrap();
        let write = || {
            let mut shell = disk.command("sh");
            shell.args(["-c", "head -c 100000 /dev/zero >\"$0\""]).arg(disk.folder().join("file"));
            shell.stderr(Stdio::null()).status().unwrap().success()
        };
        assert!(write());
        assert_eq!(
            fs::read_dir(disk.folder()).unwrap().count(),
            0,
            "the disk must be invisible outside its namespace"
        );
        fs::remove_file(disk.from_outside().join("file")).unwrap();
        disk.fill().unwrap();
        assert!(!write());
        disk.free().unwrap();
        assert!(write());
    }

    #[test]
    fn a_dropped_disk_leaves_no_folder() {
        let disk = SmallDisk::create(1).unwrap();
        let (folder, outside) = (disk.folder().to_owned(), disk.from_outside());
        assert!(outside.exists());
        drop(disk);
        assert!(!outside.exists() && !folder.exists());
    }
}
