//! A copy of the whole database while others go on writing: `VACUUM INTO` for SQLite, `pg_dump` for PostgreSQL.
//!
//! Invariant: what bears the name of a backup is whole. The copy is made under another name beside it, checked, brought
//! to the disk, and only then renamed. Only its owner may read it.

use std::fs::{File, OpenOptions, Permissions};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use rustix::fs::OFlags;
use sqlx::postgres::{PgConnectOptions, PgSslMode};
use sqlx::sqlite::{SqliteConnectOptions, SqlitePool};
use sqlx::{ConnectOptions as _, Connection as _};
use thiserror::Error;
use url::Url;

use super::Store;

/// Most bytes that are quoted of what `pg_dump` says.
const TOLD_BYTES_MAX: usize = 500;

/// Why there is no backup.
#[derive(Debug, Error)]
pub enum BackupError {
    #[error("`{}` exists already; choose another name, or `--force` to replace it", .0.display())]
    Exists(PathBuf),
    #[error("another backup to `{}` is under way; wait until it is done", .0.display())]
    UnderWay(PathBuf),
    #[error("cannot write the backup `{}`; check its folder, the access rights and the free space", .file.display())]
    File { file: PathBuf, source: std::io::Error },
    #[error("the path of the backup is not UTF-8, which SQLite needs")]
    Path,
    #[error("the database could not be copied; check the free space of the backup's folder")]
    Copy(#[source] sqlx::Error),
    #[error("the copy is damaged ({0}); check the disks and the database with `duwang doctor`")]
    Damaged(String),
    #[error(
        "`{program}` is not installed; install the PostgreSQL client of the server's version or newer (Debian: \
         `apt install postgresql-client`)"
    )]
    Missing { program: &'static str },
    #[error("`{program}` failed: {told}")]
    Program { program: &'static str, told: String },
}

/// A finished backup.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Backup {
    pub bytes: u64,
}

/// The file is removed unless it was finished.
struct Partial<'a>(&'a Path);

impl Drop for Partial<'_> {
    fn drop(&mut self) {
        // After the rename there is no such file; a left-over is replaced by the next backup.
        let _ = std::fs::remove_file(self.0);
    }
}

impl Store {
    /// The usual ending of a backup's name.
    pub fn backup_ending(&self) -> &'static str {
        if self.is_sqlite() { "db" } else { "dump" }
    }

    /// Copies the database to `file`; an existing file is replaced only with `force`. `url` is that of the settings: it
    /// alone knows the password, which goes to `pg_dump` by its environment.
    pub async fn backup(&self, url: &str, file: &Path, force: bool) -> Result<Backup, BackupError> {
        let failed = |source| BackupError::File { file: file.to_owned(), source };
        if !force && file.exists() {
            return Err(BackupError::Exists(file.to_owned()));
        }
        let partial = beside(file).ok_or_else(|| failed(std::io::ErrorKind::InvalidFilename.into()))?;
        let held = hold(&partial, file)?;
        let removed_at_end = Partial(&partial);
        match self {
            Self::Sqlite(pool) => copy_sqlite(pool, &partial).await?,
            Self::Postgres(pool) => {
                let (variables, partial) = (pg_variables(&pool.connect_options(), url), partial.clone());
                let dumped = tokio::task::spawn_blocking(move || dump_postgres(&variables, &partial)).await;
                dumped.map_err(|error| failed(std::io::Error::other(error)))??;
            }
        }
        let written = File::open(&partial).map_err(failed)?;
        written.sync_all().map_err(failed)?;
        let bytes = written.metadata().map_err(failed)?.len();
        if !force && file.exists() {
            return Err(BackupError::Exists(file.to_owned()));
        }
        std::fs::rename(&partial, file).map_err(failed)?;
        let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        File::open(folder).and_then(|folder| folder.sync_all()).map_err(failed)?;
        drop(removed_at_end);
        drop(held);
        Ok(Backup { bytes })
    }
}

/// The name under which the copy is made: hidden, in the same folder, so that the rename is one step.
fn beside(file: &Path) -> Option<PathBuf> {
    let mut name = std::ffi::OsString::from(".");
    name.push(file.file_name()?);
    name.push(".partial");
    Some(file.with_file_name(name))
}

/// The file of the copy, empty and ours alone: another backup to the same place would put its own half in it. What a
/// killed one left behind is taken over.
fn hold(partial: &Path, file: &Path) -> Result<File, BackupError> {
    let failed = |source| BackupError::File { file: file.to_owned(), source };
    // A link that somebody laid there is not followed.
    let no_follow = i32::try_from(OFlags::NOFOLLOW.bits()).unwrap_or_default();
    let held = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .custom_flags(no_follow)
        .open(partial)
        .map_err(failed)?;
    let is_ours = held.try_lock().is_ok()
        && std::fs::metadata(partial).is_ok_and(|named| held.metadata().is_ok_and(|held| held.ino() == named.ino()));
    if !is_ours {
        return Err(BackupError::UnderWay(file.to_owned()));
    }
    held.set_permissions(Permissions::from_mode(0o600)).map_err(failed)?;
    held.set_len(0).map_err(failed)?;
    Ok(held)
}

async fn copy_sqlite(pool: &SqlitePool, to: &Path) -> Result<(), BackupError> {
    let path = to.to_str().ok_or(BackupError::Path)?;
    sqlx::query("VACUUM INTO $1").bind(path).execute(pool).await.map_err(BackupError::Copy)?;
    // Nobody else knows the copy: without locks and log, so that no file is left beside it.
    let options = SqliteConnectOptions::new().filename(to).read_only(true).immutable(true);
    let mut copy = options.connect().await.map_err(BackupError::Copy)?;
    let found: String =
        sqlx::query_scalar("PRAGMA integrity_check(1)").fetch_one(&mut copy).await.map_err(BackupError::Copy)?;
    copy.close().await.map_err(BackupError::Copy)?;
    if found == "ok" { Ok(()) } else { Err(BackupError::Damaged(found)) }
}

/// How `pg_dump` reaches the database: by its environment, which other users cannot read.
fn pg_variables(options: &PgConnectOptions, url: &str) -> Vec<(&'static str, String)> {
    let host = options.get_socket().map_or_else(|| options.get_host().to_owned(), |dir| dir.display().to_string());
    let ssl_mode = match options.get_ssl_mode() {
        PgSslMode::Disable => "disable",
        PgSslMode::Allow => "allow",
        PgSslMode::Prefer => "prefer",
        PgSslMode::Require => "require",
        PgSslMode::VerifyCa => "verify-ca",
        PgSslMode::VerifyFull => "verify-full",
    };
    let mut variables = vec![
        ("PGHOST", host),
        ("PGPORT", options.get_port().to_string()),
        ("PGUSER", options.get_username().to_owned()),
        ("PGDATABASE", options.get_database().unwrap_or(options.get_username()).to_owned()),
        ("PGSSLMODE", ssl_mode.to_owned()),
    ];
    if let Ok(url) = Url::parse(url) {
        variables.extend(url.password().map(|password| ("PGPASSWORD", percent_decoded(password))));
        let certificate = url.query_pairs().find(|(key, _)| key == "sslrootcert" || key == "ssl-root-cert");
        variables.extend(certificate.map(|(_, path)| ("PGSSLROOTCERT", path.into_owned())));
    }
    variables
}

fn percent_decoded(text: &str) -> String {
    // The form decoder, kept from reading `+` and `&` as its own signs.
    let value = text.replace('+', "%2B").replace('&', "%26");
    url::form_urlencoded::parse(["=", &value].concat().as_bytes()).map(|(_, value)| value).collect()
}

fn dump_postgres(variables: &[(&'static str, String)], to: &Path) -> Result<(), BackupError> {
    let mut dump = Command::new("pg_dump");
    dump.args(["--format=custom", "--no-owner", "--no-privileges", "--no-password", "--file"]).arg(to);
    dump.envs(variables.iter().map(|(name, value)| (name, value)));
    run("pg_dump", dump)?;
    // Reads the table of contents back.
    let mut list = Command::new("pg_restore");
    list.arg("--list").arg(to);
    run("pg_restore", list)
}

fn run(program: &'static str, mut command: Command) -> Result<(), BackupError> {
    let output = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped()).output();
    let output = output.map_err(|error| match error.kind() {
        std::io::ErrorKind::NotFound => BackupError::Missing { program },
        _ => BackupError::Program { program, told: error.to_string() },
    })?;
    if output.status.success() {
        return Ok(());
    }
    let told = &output.stderr[..output.stderr.len().min(TOLD_BYTES_MAX)];
    Err(BackupError::Program { program, told: String::from_utf8_lossy(told).trim().replace('\n', "; ") })
}

#[cfg(test)]
mod tests {
    use std::str::FromStr as _;

    use super::*;

    #[test]
    fn pg_dump_is_told_by_its_environment() {
        let url = "postgres://duwang:p%40s+s%26%C3%A9@db.example:5433/posts?sslmode=require";
        let variables = pg_variables(&PgConnectOptions::from_str(url).unwrap(), url);
        for expected in [
            ("PGHOST", "db.example"),
            ("PGPORT", "5433"),
            ("PGUSER", "duwang"),
            ("PGDATABASE", "posts"),
            ("PGSSLMODE", "require"),
            ("PGPASSWORD", "p@s+s&é"),
        ] {
            assert!(variables.contains(&(expected.0, expected.1.to_owned())), "{expected:?} in {variables:?}");
        }
    }

    #[test]
    fn a_missing_program_is_named_with_what_to_install() {
        let error = run("pg_dump", Command::new("/nonexistent/pg_dump")).unwrap_err();
        assert!(error.to_string().contains("postgresql-client"), "{error}");
    }

    #[test]
    fn the_copy_is_made_beside_its_file() {
        assert_eq!(beside(Path::new("/a/b.db")), Some(PathBuf::from("/a/.b.db.partial")));
        assert_eq!(beside(Path::new("/")), None);
    }
}
