//! Credentials: named files with cookies, tokens and secrets, kept out of the configuration, of logs and of errors.
//!
//! A source names its credential, and so does a channel of notifications. The file of that name is looked for in `$CREDENTIALS_DIRECTORY` (systemd's
//! `LoadCredential=`), then in `crawl.credentials_dir`. It holds `key: value` lines, or nothing but a cookie. A missing
//! or bad file is no error of the configuration: its sources fail with the advice, and everything else goes on.

use std::collections::BTreeMap;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use chrono::{DateTime, Utc};
use secrecy::{ExposeSecret as _, SecretString};

use super::Config;
use super::tree::{self, Value};

/// Largest file; a cookie has some 4 kB.
const FILE_BYTES_MAX: u64 = 64 * 1024;
/// A shorter part of an address or value is no secret, and hiding it would only spoil texts.
const HIDDEN_BYTES_MIN: usize = 6;

/// The values of one credential file.
#[derive(Clone, Debug, Default)]
pub struct Credential {
    values: BTreeMap<String, SecretString>,
}

impl Credential {
    /// Out of plain pairs, for tests and the simulator.
    pub fn of(pairs: &[(&str, &str)]) -> Self {
        let values = pairs.iter().map(|(key, value)| ((*key).to_owned(), SecretString::from(*value))).collect();
        Self { values }
    }

    /// A value; whoever asks must not show it.
    pub fn get(&self, key: &str) -> Option<&str> {
        self.values.get(key).map(SecretString::expose_secret)
    }

    /// The text without the values of this credential, and without what its addresses carry: a platform may repeat them.
    pub fn hide(&self, text: &str) -> String {
        let mut hidden = text.to_owned();
        for value in self.values.values().map(SecretString::expose_secret) {
            let mut parts = vec![value.to_owned()];
            if let Ok(url) = url::Url::parse(value) {
                parts.extend(url.query_pairs().map(|(_, value)| value.into_owned()));
                parts.extend(url.path_segments().into_iter().flatten().map(str::to_owned));
            }
            for part in parts.iter().filter(|part| part.len() >= HIDDEN_BYTES_MIN) {
                hidden = hidden.replace(part.as_str(), "…");
            }
        }
        hidden
    }

    /// Reads a file: `key: value` lines, or one line that is a cookie. Errors name no value.
    fn parse(text: &str) -> Result<Self, String> {
        let text = text.trim_start_matches('\u{feff}').trim();
        let is_cookie = !text.contains('\n') && text.split(';').all(|pair| pair.contains('=')) && !text.contains(": ");
        if is_cookie {
            return Self::checked([("cookie".to_owned(), text.to_owned())]);
        }
        let remedy = "write `key: value` lines, or nothing but the cookie";
        let tree = tree::parse(text).map_err(|error| format!("line {} cannot be read; {remedy}", error.line))?;
        let Value::Map(entries) = tree.value else { return Err(format!("holds no keys; {remedy}")) };
        let pairs: Vec<(String, String)> = entries
            .into_iter()
            .map(|entry| match entry.node.value {
                Value::Scalar(value) => Ok((entry.key, value)),
                _ => Err(format!("`{}` has no single value; {remedy}", entry.key)),
            })
            .collect::<Result<_, String>>()?;
        Self::checked(pairs)
    }

    /// Values go into request headers and addresses: a line break in one would be another header.
    fn checked(pairs: impl IntoIterator<Item = (String, String)>) -> Result<Self, String> {
        let mut values = BTreeMap::new();
        for (key, value) in pairs {
            let value = value.trim();
            if value.is_empty() || !value.bytes().all(|byte| (b' '..=b'~').contains(&byte)) {
                return Err(format!("the value of `{key}` is empty or not plain ASCII; copy it again"));
            }
            values.insert(key, SecretString::from(value));
        }
        if values.is_empty() {
            Err("is empty; write the cookie or `key: value` lines".to_owned())
        } else {
            Ok(Self { values })
        }
    }
}

/// One named credential: where it is, and what is in it or why it cannot be used.
#[derive(Clone, Debug)]
pub struct CredentialFile {
    pub name: String,
    /// Where the file is, or where it was looked for last.
    pub path: PathBuf,
    pub modified_at: Option<DateTime<Utc>>,
    pub content: Result<Credential, String>,
}

/// Every credential that a source of the registry or a channel of notifications names.
#[derive(Clone, Debug, Default)]
pub struct Credentials {
    files: BTreeMap<String, CredentialFile>,
}

impl Credentials {
    /// Reads the files of all credentials that the registry and the channels name.
    pub fn load(config: &Config) -> Self {
        let sources = config.registry.accounts.iter().flat_map(|account| &account.sources);
        let channels = config.settings.notify.channels.iter();
        let names = sources.filter_map(|source| source.spec.credential());
        let names = names.chain(channels.filter_map(|channel| channel.credential.as_deref()));
        let folders = folders(config);
        let files = names.map(|name| (name.to_owned(), read(name, &folders))).collect();
        Self { files }
    }

    /// One credential that is in no file, for tests.
    pub fn of(name: &str, credential: Credential) -> Self {
        let file =
            CredentialFile { name: name.to_owned(), path: PathBuf::new(), modified_at: None, content: Ok(credential) };
        Self { files: BTreeMap::from([(name.to_owned(), file)]) }
    }

    /// The credential, if its file could be read.
    pub fn get(&self, name: &str) -> Option<&Credential> {
        self.files.get(name).and_then(|file| file.content.as_ref().ok())
    }

    /// All of them, by name.
    pub fn files(&self) -> impl Iterator<Item = &CredentialFile> {
        self.files.values()
    }
}

/// Where credential files are looked for, the first one first.
fn folders(config: &Config) -> Vec<PathBuf> {
    #[expect(clippy::disallowed_methods, reason = "configuration is the one reader of the environment")]
    let systemd = std::env::var_os("CREDENTIALS_DIRECTORY").map(PathBuf::from);
    systemd.into_iter().chain([config.dir.join(&config.settings.crawl.credentials_dir)]).collect()
}

fn read(name: &str, folders: &[PathBuf]) -> CredentialFile {
    let found = folders.iter().map(|folder| folder.join(name)).find(|path| path.is_file());
    let path = found.or_else(|| folders.last().map(|folder| folder.join(name))).unwrap_or_default();
    let modified_at = std::fs::metadata(&path).and_then(|data| data.modified()).ok().map(DateTime::<Utc>::from);
    CredentialFile { name: name.to_owned(), modified_at, content: read_file(&path), path }
}

fn read_file(path: &Path) -> Result<Credential, String> {
    let file = std::fs::File::open(path).map_err(|error| match error.kind() {
        std::io::ErrorKind::NotFound => "there is no such file".to_owned(),
        _ => format!("cannot be read ({error}); check its owner and rights"),
    })?;
    let mut bytes = Vec::new();
    file.take(FILE_BYTES_MAX + 1).read_to_end(&mut bytes).map_err(|error| format!("cannot be read ({error})"))?;
    if bytes.len() as u64 > FILE_BYTES_MAX {
        return Err(format!("is larger than {FILE_BYTES_MAX} bytes: not a credential"));
    }
    let text = String::from_utf8(bytes).map_err(|_| "is not plain text".to_owned())?;
    Credential::parse(&text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cookie_and_keys_are_read() {
        let cookie = Credential::parse("SUB=abc; SUBP=def==\n").unwrap();
        assert_eq!(cookie.get("cookie"), Some("SUB=abc; SUBP=def=="));
        let keys = Credential::parse("appid: wx01\nsecret: \"0123\"\ntoken: 1234567890\n").unwrap();
        assert_eq!(
            (keys.get("appid"), keys.get("secret"), keys.get("token")),
            (Some("wx01"), Some("0123"), Some("1234567890"))
        );
        let quoted = Credential::parse("cookie: 'a=b; c=d'\ntoken: x").unwrap();
        assert_eq!(quoted.get("cookie"), Some("a=b; c=d"));
    }

    #[test]
    fn bad_files_are_refused_without_showing_what_is_in_them() {
        for bad in [
            "",
            "   ",
            "SECRET",
            "- SECRET",
            "cookie: [SECRET]",
            "cookie: \"SECRET\\nX: y\"",
            "cookie: 密SECRET",
            "a: {",
        ] {
            let error = Credential::parse(bad).unwrap_err();
            assert!(!error.contains("SECRET") && !error.is_empty(), "{bad}: {error}");
        }
    }

    #[test]
    fn what_an_address_carries_is_hidden_too() {
        let credential =
            Credential::of(&[("url", "https://a.example/hook/0123456789?key=ABCDEFGH"), ("secret", "S3CRET")]);
        let text = "no robot ABCDEFGH at hook/0123456789, signed with S3CRET";
        assert_eq!(credential.hide(text), "no robot … at hook/…, signed with …");
    }

    #[test]
    fn secrets_are_in_no_debug_output() {
        assert!(!format!("{:?}", Credential::of(&[("cookie", "SECRET")])).contains("SECRET"));
    }
}
