//! Links in posts: each address once, how it stands, and which posts hold it.

use chrono::{DateTime, Utc};
use sqlx::types::Json;

use super::{BINDS_MAX, StoreError, Tx, insert_rows, on_conn, word};
use crate::model::link::LinkState;
use crate::model::post::Link;
use crate::model::{AccountId, PostId};
use crate::rules::links::{CheckedLink, Standing};

/// A version of a post whose links have not been entered yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VersionLinks {
    pub post: PostId,
    pub version: u32,
    /// No later version is known.
    pub is_current: bool,
    pub links: Vec<Link>,
}

/// A link as it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LinkRecord {
    pub url: String,
    pub standing: Standing,
    pub checked_at: Option<DateTime<Utc>>,
    /// `None`: never asked.
    pub due_at: Option<DateTime<Utc>>,
}

/// A link in the current text of a post.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PostLink {
    pub post: PostId,
    pub account: AccountId,
    /// The key of the post.
    pub key: String,
    pub version: u32,
    pub link: CheckedLink,
    pub standing: Standing,
}

#[derive(sqlx::FromRow)]
struct LinkRow {
    url: String,
    state: String,
    status: Option<i64>,
    detail: String,
    first_bad_at: Option<DateTime<Utc>>,
    checked_at: Option<DateTime<Utc>>,
    due_at: Option<DateTime<Utc>>,
}

impl TryFrom<LinkRow> for LinkRecord {
    type Error = StoreError;

    fn try_from(row: LinkRow) -> Result<Self, StoreError> {
        let standing = Standing {
            state: word(LinkState::parse, "links", "state", &row.url, &row.state)?,
            status: row.status.map(|status| narrow("links", "status", &row.url, status)).transpose()?,
            detail: row.detail,
            first_bad_at: row.first_bad_at,
        };
        Ok(Self { url: row.url, standing, checked_at: row.checked_at, due_at: row.due_at })
    }
}

impl Tx {
    /// Up to `limit` versions whose links have not been entered, with those links.
    pub async fn versions_with_new_links(&mut self, limit: u32) -> Result<Vec<VersionLinks>, StoreError> {
        const SQL: &str = "SELECT v.post_id, v.version, p.version, v.links FROM post_versions v \
                           JOIN posts p ON p.id = v.post_id \
                           WHERE NOT v.links_entered AND (v.links <> '[]' OR v.version > 1) \
                           ORDER BY v.post_id, v.version LIMIT $1";
        let rows: Vec<(i64, i64, i64, Json<Vec<Link>>)> =
            on_conn!(self, conn => sqlx::query_as(SQL).bind(i64::from(limit)).fetch_all(conn).await)?;
        rows.into_iter()
            .map(|(post, version, current, links)| {
                let number = narrow("post_versions", "version", post, version)?;
                Ok(VersionLinks { post: PostId(post), version: number, is_current: version == current, links: links.0 })
            })
            .collect()
    }

    /// Marks versions as entered, and replaces the links of the posts whose current version is among them. An address
    /// that is known already keeps its standing.
    pub async fn enter_links(
        &mut self,
        versions: &[VersionLinks],
        links: &[LinkRecord],
        post_links: &[(PostId, CheckedLink)],
    ) -> Result<(), StoreError> {
        for chunk in versions.chunks(BINDS_MAX / 3) {
            on_conn!(&mut *self, conn => {
                // SQLite finds no row by an index for a pair in a list: the ids alone lead to the rows.
                let mut query = sqlx::QueryBuilder::new(
                    "UPDATE post_versions SET links_entered = TRUE WHERE post_id IN (",
                );
                let mut ids = query.separated(", ");
                for version in chunk {
                    ids.push_bind(version.post.0);
                }
                query.push(") AND (post_id, version) IN (");
                query.push_values(chunk, |mut b, version| {
                    b.push_bind(version.post.0).push_bind(i64::from(version.version));
                });
                query.push(")");
                query.build().execute(conn).await?;
            });
        }
        let current: Vec<PostId> =
            versions.iter().filter(|version| version.is_current).map(|version| version.post).collect();
        for chunk in current.chunks(BINDS_MAX) {
            on_conn!(&mut *self, conn => {
                let mut query = sqlx::QueryBuilder::new("DELETE FROM post_links WHERE post_id IN (");
                let mut ids = query.separated(", ");
                for post in chunk {
                    ids.push_bind(post.0);
                }
                query.push(")");
                query.build().execute(conn).await?;
            });
        }
        self.write_links(links, " ON CONFLICT (url) DO NOTHING").await?;
        insert_rows!(
            self,
            post_links,
            3,
            "INSERT INTO post_links (post_id, url, text) ",
            |b, row| {
                b.push_bind(row.0.0).push_bind(&row.1.url).push_bind(&row.1.text);
            },
            " ON CONFLICT (post_id, url) DO NOTHING"
        );
        Ok(())
    }

    /// Links to be asked now, the longest due first: those that a post still holds which was not deleted.
    pub async fn due_links(&mut self, now: DateTime<Utc>, limit: u32) -> Result<Vec<LinkRecord>, StoreError> {
        const SQL: &str = "SELECT l.url, l.state, l.status, l.detail, l.first_bad_at, l.checked_at, l.due_at \
                           FROM links l WHERE l.due_at <= $1 AND EXISTS (SELECT 1 FROM post_links pl \
                           JOIN posts p ON p.id = pl.post_id WHERE pl.url = l.url AND p.removed_at IS NULL) \
                           ORDER BY l.due_at, l.url LIMIT $2";
        let rows: Vec<LinkRow> = on_conn!(self, conn => sqlx::query_as(SQL).bind(now).bind(i64::from(limit))
            .fetch_all(conn).await)?;
        rows.into_iter().map(LinkRecord::try_from).collect()
    }

    /// Writes how links stand.
    pub async fn record_links(&mut self, links: &[LinkRecord]) -> Result<(), StoreError> {
        const CONFLICT: &str = " ON CONFLICT (url) DO UPDATE SET state = excluded.state, status = excluded.status, \
                                detail = excluded.detail, first_bad_at = excluded.first_bad_at, \
                                checked_at = excluded.checked_at, due_at = excluded.due_at";
        self.write_links(links, CONFLICT).await
    }

    async fn write_links(&mut self, links: &[LinkRecord], on_conflict: &'static str) -> Result<(), StoreError> {
        insert_rows!(
            self,
            links,
            7,
            "INSERT INTO links (url, state, status, detail, first_bad_at, checked_at, due_at) ",
            |b, link| {
                let standing = &link.standing;
                b.push_bind(&link.url).push_bind(standing.state.as_str()).push_bind(standing.status.map(i64::from));
                b.push_bind(&standing.detail).push_bind(standing.first_bad_at).push_bind(link.checked_at);
                b.push_bind(link.due_at);
            },
            on_conflict
        );
        Ok(())
    }

    /// The posts that hold any of these links and were not deleted.
    pub async fn posts_with_links(&mut self, urls: &[&str]) -> Result<Vec<PostId>, StoreError> {
        let mut posts = Vec::new();
        for chunk in urls.chunks(BINDS_MAX) {
            let ids: Vec<i64> = on_conn!(&mut *self, conn => {
                let mut query = sqlx::QueryBuilder::new(
                    "SELECT pl.post_id FROM post_links pl JOIN posts p ON p.id = pl.post_id \
                     WHERE p.removed_at IS NULL AND pl.url IN (",
                );
                let mut list = query.separated(", ");
                for url in chunk {
                    list.push_bind(*url);
                }
                query.push(") ORDER BY pl.post_id");
                query.build_query_scalar().fetch_all(conn).await?
            });
            posts.extend(ids.into_iter().map(PostId));
        }
        posts.sort_unstable();
        posts.dedup();
        Ok(posts)
    }

    /// Every link of the current texts of posts, by post and address; deleted posts have none.
    pub async fn links_of_posts(&mut self, posts: &[PostId]) -> Result<Vec<PostLink>, StoreError> {
        #[derive(sqlx::FromRow)]
        struct Row {
            post_id: i64,
            account_id: String,
            key: String,
            version: i64,
            text: String,
            #[sqlx(flatten)]
            link: LinkRow,
        }
        let mut found = Vec::new();
        for chunk in posts.chunks(BINDS_MAX) {
            let rows: Vec<Row> = on_conn!(&mut *self, conn => {
                let mut query = sqlx::QueryBuilder::new(
                    "SELECT pl.post_id, p.account_id, p.key, p.version, pl.text, l.url, l.state, l.status, l.detail, \
                     l.first_bad_at, l.checked_at, l.due_at FROM post_links pl JOIN posts p ON p.id = pl.post_id \
                     JOIN links l ON l.url = pl.url WHERE p.removed_at IS NULL AND pl.post_id IN (",
                );
                let mut ids = query.separated(", ");
                for post in chunk {
                    ids.push_bind(post.0);
                }
                query.push(") ORDER BY pl.post_id, pl.url");
                query.build_query_as().fetch_all(conn).await?
            });
            for row in rows {
                let record = LinkRecord::try_from(row.link)?;
                found.push(PostLink {
                    post: PostId(row.post_id),
                    account: AccountId::new(row.account_id),
                    key: row.key,
                    version: narrow("posts", "version", row.post_id, row.version)?,
                    link: CheckedLink { url: record.url, text: row.text },
                    standing: record.standing,
                });
            }
        }
        Ok(found)
    }

    /// How many links wait to be asked now.
    pub async fn count_due_links(&mut self, now: DateTime<Utc>) -> Result<u64, StoreError> {
        const SQL: &str = "SELECT COUNT(*) FROM links WHERE due_at <= $1";
        let n: i64 = on_conn!(self, conn => sqlx::query_scalar(SQL).bind(now).fetch_one(conn).await)?;
        Ok(u64::try_from(n).unwrap_or_default())
    }
}

fn narrow<T: TryFrom<i64>>(
    table: &'static str,
    column: &'static str,
    row: impl std::fmt::Display,
    value: i64,
) -> Result<T, StoreError> {
    T::try_from(value).map_err(|_| StoreError::corrupt(table, column, row, value))
}
