//! Posts and every text they ever had.

use std::collections::{HashMap, HashSet};
use std::io::Read as _;

use chrono::{DateTime, Utc};
use sqlx::types::Json;

use super::{BINDS_MAX, StoreError, Tx, insert_rows, on_conn};
use crate::model::post::{Link, TextOrigin, TextState};
use crate::model::{AccountId, PostId, SourceId, digest_hex};
use crate::rules::wording::privacy::MaskedSpan;

/// zstd level of stored texts: 3 is the library's default, small texts gain little beyond it.
const ZSTD_LEVEL: i32 = 3;
/// Largest text that is unpacked, in bytes; sources accept less.
const TEXT_BYTES_MAX: u64 = 64 * 1024 * 1024;

/// A post as a source, an article page or an import tells it; personal data already masked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PostRecord {
    pub account: AccountId,
    pub key: String,
    pub push_key: Option<String>,
    pub url: Option<String>,
    pub title: String,
    pub published_at: Option<DateTime<Utc>>,
    pub zone_assumed: bool,
    pub edited_at: Option<DateTime<Utc>>,
    pub original: bool,
    pub text_state: TextState,
    pub origin: TextOrigin,
    /// The source whose listing told it.
    pub source: Option<SourceId>,
    pub listing_hash: String,
    /// Title and body as one text.
    pub text: String,
    pub links: Vec<Link>,
    pub masked: Vec<MaskedSpan>,
    pub seen_at: DateTime<Utc>,
    /// A missing text may be fetched from the post's page.
    pub fillable: bool,
}

/// A post whose current text is new and waits to be judged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordedPost {
    pub id: PostId,
    pub version: u32,
    /// Position in the slice given to [`Tx::record_posts`].
    pub index: usize,
    /// Never stored before: there can be no violation yet.
    pub is_new: bool,
}

/// A stored text that no checker, or only an older one, has read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UncheckedPost {
    pub id: PostId,
    pub account: AccountId,
    pub key: String,
    pub version: u32,
    pub published_at: Option<DateTime<Utc>>,
    /// When this version was first seen.
    pub seen_at: DateTime<Utc>,
    pub text: String,
    pub masked: Vec<MaskedSpan>,
}

#[derive(Clone, sqlx::FromRow)]
struct PostRow {
    id: i64,
    account_id: String,
    key: String,
    push_key: Option<String>,
    url: Option<String>,
    title: String,
    published_at: Option<DateTime<Utc>>,
    zone_assumed: bool,
    original: bool,
    text_state: String,
    text_origin: String,
    listing_hash: String,
    text_hash: String,
    version: i64,
    first_seen_at: DateTime<Utc>,
    fill_attempts: i64,
    fill_after: Option<DateTime<Utc>>,
    checked_with: String,
    edited_at: Option<DateTime<Utc>>,
    removed_at: Option<DateTime<Utc>>,
}

const POST_COLUMNS: &str = "id, account_id, key, push_key, url, title, published_at, zone_assumed, original, text_state, \
                            text_origin, listing_hash, text_hash, version, first_seen_at, fill_attempts, fill_after, \
                            checked_with, edited_at, removed_at";

/// What is to be written of one told post.
struct Change {
    row: PostRow,
    /// The told text becomes the next version.
    new_text: bool,
    index: usize,
    is_new: bool,
}

impl Tx {
    /// Stores what is new in the told posts, and returns those whose text must be judged. Telling the same again
    /// changes nothing.
    pub async fn record_posts(&mut self, posts: &[PostRecord]) -> Result<Vec<RecordedPost>, StoreError> {
        let mut told = HashSet::new();
        let first_told: Vec<usize> = (0..posts.len())
            .filter(|index| told.insert((posts[*index].account.as_str(), posts[*index].key.as_str())))
            .collect();
        let stored = self.stored_posts(posts, &first_told).await?;
        let mut changes: Vec<Change> = Vec::new();
        for index in first_told {
            let post = &posts[index];
            match stored.get(&(post.account.to_string(), post.key.clone())) {
                None => changes.push(Change { row: new_row(post), new_text: true, index, is_new: true }),
                Some(row) => changes.extend(changed_row(row, post).map(|(row, new_text)| Change {
                    row,
                    new_text,
                    index,
                    is_new: false,
                })),
            }
        }
        self.write_posts(&mut changes).await?;
        let versions = changes.iter().filter(|change| change.new_text);
        self.write_versions(versions.clone().map(|change| (&change.row, &posts[change.index]))).await?;
        versions
            .map(|change| {
                Ok(RecordedPost {
                    id: PostId(change.row.id),
                    version: version(change.row.id, change.row.version)?,
                    index: change.index,
                    is_new: change.is_new,
                })
            })
            .collect()
    }

    async fn stored_posts(
        &mut self,
        posts: &[PostRecord],
        indices: &[usize],
    ) -> Result<HashMap<(String, String), PostRow>, StoreError> {
        let mut stored = HashMap::with_capacity(indices.len());
        for chunk in indices.chunks(BINDS_MAX / 2) {
            let rows: Vec<PostRow> = on_conn!(&mut *self, conn => {
                // A join, because SQLite uses no index for `(a, b) IN (VALUES …)` and would read the whole table.
                let mut query = sqlx::QueryBuilder::new("WITH told (told_account, told_key) AS (");
                query.push_values(chunk, |mut b, index| {
                    b.push_bind(posts[*index].account.as_str()).push_bind(&posts[*index].key);
                });
                query.push(") SELECT ").push(POST_COLUMNS);
                query.push(" FROM told JOIN posts ON account_id = told_account AND key = told_key");
                query.build_query_as().persistent(false).fetch_all(conn).await?
            });
            stored.extend(rows.into_iter().map(|row| ((row.account_id.clone(), row.key.clone()), row)));
        }
        Ok(stored)
    }

    /// Writes the rows and learns the ids of the new ones.
    async fn write_posts(&mut self, changes: &mut [Change]) -> Result<(), StoreError> {
        const COLUMNS: usize = 19;
        for chunk in changes.chunks_mut(BINDS_MAX / COLUMNS) {
            let ids: Vec<(i64, String, String)> = on_conn!(&mut *self, conn => {
                let mut query = sqlx::QueryBuilder::new(
                    "INSERT INTO posts (account_id, key, push_key, url, title, published_at, zone_assumed, original, \
                     text_state, text_origin, listing_hash, text_hash, version, first_seen_at, fill_attempts, \
                     fill_after, checked_with, edited_at, removed_at) ",
                );
                query.push_values(chunk.iter(), |mut b, change| {
                    let row = &change.row;
                    b.push_bind(&row.account_id).push_bind(&row.key).push_bind(&row.push_key).push_bind(&row.url);
                    b.push_bind(&row.title).push_bind(row.published_at).push_bind(row.zone_assumed);
                    b.push_bind(row.original).push_bind(&row.text_state).push_bind(&row.text_origin);
                    b.push_bind(&row.listing_hash).push_bind(&row.text_hash).push_bind(row.version).push_bind(row.first_seen_at);
                    b.push_bind(row.fill_attempts).push_bind(row.fill_after).push_bind(&row.checked_with);
                    b.push_bind(row.edited_at).push_bind(row.removed_at);
                });
                query.push(
                    " ON CONFLICT (account_id, key) DO UPDATE SET push_key = excluded.push_key, url = excluded.url, \
                     title = excluded.title, published_at = excluded.published_at, \
                     zone_assumed = excluded.zone_assumed, original = excluded.original, \
                     text_state = excluded.text_state, text_origin = excluded.text_origin, \
                     listing_hash = excluded.listing_hash, text_hash = excluded.text_hash, \
                     version = excluded.version, \
                     fill_attempts = excluded.fill_attempts, fill_after = excluded.fill_after, \
                     checked_with = excluded.checked_with, edited_at = excluded.edited_at, \
                     removed_at = excluded.removed_at RETURNING id, account_id, key",
                );
                query.build_query_as().persistent(false).fetch_all(conn).await?
            });
            let by_key: HashMap<(&str, &str), i64> =
                ids.iter().map(|(id, account, key)| ((account.as_str(), key.as_str()), *id)).collect();
            for change in chunk {
                if let Some(id) = by_key.get(&(change.row.account_id.as_str(), change.row.key.as_str())) {
                    change.row.id = *id;
                }
            }
        }
        Ok(())
    }

    async fn write_versions<'a>(
        &mut self,
        versions: impl Iterator<Item = (&'a PostRow, &'a PostRecord)>,
    ) -> Result<(), StoreError> {
        // One for the batch: making a compressor costs more than packing a post with it.
        let mut packer: Option<zstd::bulk::Compressor<'_>> = None;
        let mut packed = Vec::new();
        for (row, post) in versions {
            let packer = match &mut packer {
                Some(packer) => packer,
                None => packer.insert(
                    zstd::bulk::Compressor::new(ZSTD_LEVEL)
                        .map_err(|source| StoreError::Unpack { post: row.id, source })?,
                ),
            };
            packed.push((
                row,
                post,
                packer.compress(post.text.as_bytes()).map_err(|source| StoreError::Unpack { post: row.id, source })?,
            ));
        }
        insert_rows!(
            self,
            packed,
            9,
            "INSERT INTO post_versions (post_id, version, seen_at, origin, source_id, text_hash, text_zstd, links, masked) ",
            |b, version| {
                let (row, post, text) = version;
                b.push_bind(row.id).push_bind(row.version).push_bind(post.seen_at).push_bind(post.origin.as_str());
                b.push_bind(post.source.as_ref().map(SourceId::as_str));
                b.push_bind(&row.text_hash).push_bind(text).push_bind(Json(&post.links)).push_bind(Json(&post.masked));
            },
            " ON CONFLICT (post_id, version) DO NOTHING"
        );
        Ok(())
    }

    /// Marks every kept text that was read with other word lists as unread.
    pub async fn forget_older_checks(&mut self, lists_version: &str) -> Result<(), StoreError> {
        const SQL: &str = "UPDATE posts SET checked_with = '' WHERE checked_with <> '' AND checked_with <> $1 AND EXISTS \
                           (SELECT 1 FROM post_versions v WHERE v.post_id = posts.id AND v.version = posts.version)";
        on_conn!(self, conn => sqlx::query(SQL).bind(lists_version).execute(conn).await.map(drop))?;
        Ok(())
    }

    /// Up to `limit` texts that wait to be judged.
    pub async fn unchecked_posts(&mut self, limit: u32) -> Result<Vec<UncheckedPost>, StoreError> {
        #[derive(sqlx::FromRow)]
        struct Row {
            id: i64,
            account_id: String,
            key: String,
            version: i64,
            published_at: Option<DateTime<Utc>>,
            seen_at: DateTime<Utc>,
            text_zstd: Vec<u8>,
            masked: Json<Vec<MaskedSpan>>,
        }
        const SQL: &str = "SELECT p.id, p.account_id, p.key, p.version, p.published_at, v.seen_at, v.text_zstd, \
                           v.masked FROM posts p JOIN post_versions v ON v.post_id = p.id AND v.version = p.version \
                           WHERE p.checked_with = '' AND p.removed_at IS NULL ORDER BY p.id LIMIT $1";
        let rows: Vec<Row> = on_conn!(self, conn => sqlx::query_as(SQL).bind(i64::from(limit)).fetch_all(conn).await)?;
        rows.into_iter()
            .map(|row| {
                Ok(UncheckedPost {
                    id: PostId(row.id),
                    account: AccountId::new(row.account_id),
                    key: row.key,
                    version: version(row.id, row.version)?,
                    published_at: row.published_at,
                    seen_at: row.seen_at,
                    text: unpack(row.id, &row.text_zstd)?,
                    masked: row.masked.0,
                })
            })
            .collect()
    }

    /// Notes that the current text of these posts has been judged. A text that changed meanwhile stays unread.
    pub async fn mark_checked(&mut self, posts: &[(PostId, u32)], lists_version: &str) -> Result<(), StoreError> {
        for chunk in posts.chunks(BINDS_MAX / 4) {
            on_conn!(&mut *self, conn => {
                let mut query = sqlx::QueryBuilder::new("UPDATE posts SET checked_with = ");
                // The first condition is for SQLite, which uses no index for the second.
                query.push_bind(lists_version).push(" WHERE id IN (");
                let mut ids = query.separated(", ");
                for (id, _) in chunk {
                    ids.push_bind(id.0);
                }
                query.push(") AND (id, version) IN (");
                query.push_values(chunk, |mut b, (id, version)| {
                    b.push_bind(id.0).push_bind(i64::from(*version));
                });
                query.push(")");
                query.build().persistent(false).execute(conn).await?;
            });
        }
        Ok(())
    }

    /// The keys under which posts of an account are stored, by address.
    pub async fn post_keys_by_url(
        &mut self,
        account: &AccountId,
        urls: &[&str],
    ) -> Result<HashMap<String, String>, StoreError> {
        let mut keys = HashMap::new();
        for chunk in urls.chunks(BINDS_MAX - 1) {
            let rows: Vec<(String, String)> = on_conn!(&mut *self, conn => {
                let mut query = sqlx::QueryBuilder::new("SELECT url, key FROM posts WHERE account_id = ");
                query.push_bind(account.as_str()).push(" AND url IN (");
                let mut list = query.separated(", ");
                for url in chunk {
                    list.push_bind(*url);
                }
                query.push(") ORDER BY id DESC");
                query.build_query_as().persistent(false).fetch_all(conn).await?
            });
            keys.extend(rows);
        }
        Ok(keys)
    }

    /// Notes that the platform calls posts of an account deleted, and gives those for which this is news. They stay and
    /// count: they were published. `beginnings` are those of keys: a platform may not tell the whole of a deleted one.
    pub async fn mark_removed(
        &mut self,
        account: &AccountId,
        keys: &[String],
        beginnings: &[String],
        seen_at: DateTime<Utc>,
    ) -> Result<Vec<PostId>, StoreError> {
        const BEGINNING: &str = "UPDATE posts SET removed_at = $1 WHERE removed_at IS NULL AND account_id = $2 \
                                 AND key LIKE $3 ESCAPE '!' RETURNING id";
        let mut removed = Vec::new();
        for beginning in beginnings {
            let pattern = beginning.replace('!', "!!").replace('%', "!%").replace('_', "!_") + "%";
            let ids: Vec<i64> = on_conn!(&mut *self, conn => sqlx::query_scalar(BEGINNING).bind(seen_at)
                .bind(account.as_str()).bind(pattern).fetch_all(conn).await)?;
            removed.extend(ids.into_iter().map(PostId));
        }
        for chunk in keys.chunks(BINDS_MAX - 2) {
            let ids: Vec<i64> = on_conn!(&mut *self, conn => {
                let mut query = sqlx::QueryBuilder::new("UPDATE posts SET removed_at = ");
                query.push_bind(seen_at).push(" WHERE removed_at IS NULL AND account_id = ").push_bind(account.as_str());
                query.push(" AND key IN (");
                let mut list = query.separated(", ");
                for key in chunk {
                    list.push_bind(key);
                }
                query.push(") RETURNING id");
                query.build_query_scalar().persistent(false).fetch_all(conn).await?
            });
            removed.extend(ids.into_iter().map(PostId));
        }
        Ok(removed)
    }

    /// The text of one version of a post.
    pub async fn post_text(&mut self, post: PostId, version: u32) -> Result<Option<String>, StoreError> {
        const SQL: &str = "SELECT text_zstd FROM post_versions WHERE post_id = $1 AND version = $2";
        let packed: Option<Vec<u8>> = on_conn!(self, conn => sqlx::query_scalar(SQL).bind(post.0)
            .bind(i64::from(version)).fetch_optional(conn).await)?;
        packed.map(|packed| unpack(post.0, &packed)).transpose()
    }
}

fn new_row(post: &PostRecord) -> PostRow {
    PostRow {
        id: 0,
        account_id: post.account.to_string(),
        key: post.key.clone(),
        push_key: post.push_key.clone(),
        url: post.url.clone(),
        title: post.title.clone(),
        published_at: post.published_at,
        zone_assumed: post.zone_assumed,
        original: post.original,
        text_state: post.text_state.to_string(),
        text_origin: post.origin.to_string(),
        listing_hash: post.listing_hash.clone(),
        text_hash: text_hash(post),
        version: 1,
        first_seen_at: post.seen_at,
        fill_attempts: 0,
        fill_after: due_at(post),
        checked_with: String::new(),
        edited_at: post.edited_at,
        removed_at: None,
    }
}

/// When a missing text may be fetched first: at once.
fn due_at(post: &PostRecord) -> Option<DateTime<Utc>> {
    (post.fillable && post.text_state == TextState::Missing).then_some(post.seen_at)
}

/// The row after a post was told again, and whether the told text is its next version. `None`: nothing is new.
///
/// A whole text, or one from the article page, stands above a listing that has none or only its beginning: when such a
/// listing changes, the page is fetched again where it can be, and the stored text stays until then.
fn changed_row(stored: &PostRow, told: &PostRecord) -> Option<(PostRow, bool)> {
    let mut row = stored.clone();
    if stored.published_at.is_none() || (stored.zone_assumed && !told.zone_assumed) {
        row.published_at = told.published_at.or(stored.published_at);
        row.zone_assumed = told.zone_assumed;
    }
    row.edited_at = told.edited_at.max(stored.edited_at);
    // A post that is listed again was not deleted, or came back: it is judged again.
    if row.removed_at.take().is_some() {
        row.checked_with.clear();
    }
    let dated = row.published_at != stored.published_at
        || row.edited_at != stored.edited_at
        || row.removed_at != stored.removed_at;
    // An event tells of a link only: whoever is known already is known better.
    if told.origin == TextOrigin::Event {
        return None;
    }
    let from_page = told.origin == TextOrigin::Article;
    if !from_page && told.listing_hash == stored.listing_hash {
        return dated.then_some((row, false));
    }
    if !from_page {
        row.listing_hash.clone_from(&told.listing_hash);
    }
    row.title.clone_from(&told.title);
    row.url = told.url.clone().or(row.url);
    row.push_key = told.push_key.clone().or(row.push_key);
    row.original = told.original;
    row.text_state = told.text_state.to_string();
    row.fill_attempts = 0;
    row.fill_after = due_at(told);
    let was_whole = stored.text_state == TextState::Full.as_str();
    if told.text_state == TextState::Missing && (was_whole || stored.text_origin == TextOrigin::Article.as_str()) {
        if was_whole && !told.fillable {
            row.text_state.clone_from(&stored.text_state);
        }
        return Some((row, false));
    }
    row.text_origin = told.origin.to_string();
    row.text_hash = text_hash(told);
    let new_text = row.text_hash != stored.text_hash;
    if new_text {
        row.version += 1;
        row.checked_with = String::new();
    }
    Some((row, new_text))
}

fn text_hash(post: &PostRecord) -> String {
    digest_hex([post.text.as_str()], 32)
}

fn version(post: i64, value: i64) -> Result<u32, StoreError> {
    u32::try_from(value).map_err(|_| StoreError::corrupt("posts", "version", post, value))
}

pub(super) fn unpack(post: i64, packed: &[u8]) -> Result<String, StoreError> {
    let failed = |source| StoreError::Unpack { post, source };
    let mut text = String::new();
    zstd::Decoder::new(packed).map_err(failed)?.take(TEXT_BYTES_MAX).read_to_string(&mut text).map_err(failed)?;
    Ok(text)
}
