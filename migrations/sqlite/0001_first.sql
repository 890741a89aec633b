-- The same tables as migrations/postgres/0001_first.sql; see migrations/README.md for the common subset.
-- Booleans are INTEGER 0/1, instants TEXT (RFC 3339, UTC, milliseconds), days TEXT, JSON TEXT.

-- Registry mirror: what the configuration files said last; `present` falls to 0 when a line is taken out.
CREATE TABLE units (
    id TEXT PRIMARY KEY NOT NULL,
    name TEXT NOT NULL,
    level TEXT NOT NULL,
    region TEXT NOT NULL,
    supervisor TEXT,
    present INTEGER NOT NULL CHECK (present IN (0, 1))
) STRICT;

CREATE TABLE accounts (
    id TEXT PRIMARY KEY NOT NULL,
    unit_id TEXT NOT NULL REFERENCES units (id),
    name TEXT NOT NULL,
    kind TEXT NOT NULL,
    platform_id TEXT,
    status TEXT NOT NULL,
    filed_on TEXT,
    present INTEGER NOT NULL CHECK (present IN (0, 1))
) STRICT;

CREATE TABLE account_history (
    account_id TEXT NOT NULL REFERENCES accounts (id),
    at TEXT NOT NULL,
    field TEXT NOT NULL,
    old_value TEXT,
    new_value TEXT,
    PRIMARY KEY (account_id, at, field)
) STRICT;

CREATE TABLE exemptions (
    id TEXT PRIMARY KEY NOT NULL,
    account_id TEXT NOT NULL REFERENCES accounts (id),
    rules TEXT NOT NULL,
    from_day TEXT NOT NULL,
    to_day TEXT NOT NULL,
    reason TEXT NOT NULL,
    reported_by TEXT NOT NULL,
    present INTEGER NOT NULL CHECK (present IN (0, 1))
) STRICT;

CREATE TABLE sources (
    id TEXT PRIMARY KEY NOT NULL,
    account_id TEXT NOT NULL REFERENCES accounts (id),
    position INTEGER NOT NULL,
    kind TEXT NOT NULL,
    url TEXT NOT NULL,
    present INTEGER NOT NULL CHECK (present IN (0, 1))
) STRICT;

-- What the next crawl of a source must know; one row for each source that was ever crawled.
CREATE TABLE source_states (
    source_id TEXT PRIMARY KEY NOT NULL REFERENCES sources (id),
    etag TEXT,
    last_modified TEXT,
    oldest_at TEXT,
    newest_at TEXT,
    ended INTEGER NOT NULL CHECK (ended IN (0, 1)),
    outcome TEXT NOT NULL,
    detail TEXT NOT NULL,
    crawled_at TEXT NOT NULL,
    last_success_at TEXT,
    failures INTEGER NOT NULL,
    retry_at TEXT
) STRICT;

CREATE TABLE crawls (
    source_id TEXT NOT NULL REFERENCES sources (id),
    listed_at TEXT NOT NULL,
    authority TEXT NOT NULL,
    reach TEXT NOT NULL,
    outcome TEXT NOT NULL,
    detail TEXT NOT NULL,
    n_items INTEGER NOT NULL,
    n_bad INTEGER NOT NULL,
    oldest_at TEXT,
    newest_at TEXT,
    ended INTEGER NOT NULL CHECK (ended IN (0, 1)),
    settled INTEGER NOT NULL CHECK (settled IN (0, 1)),
    PRIMARY KEY (source_id, listed_at)
) STRICT;

CREATE INDEX crawls_unsettled ON crawls (listed_at) WHERE NOT settled;
CREATE INDEX crawls_authority ON crawls (listed_at, authority);

-- The newest publish time seen on any feed of a host: its last sign of life.
CREATE TABLE bridges (
    authority TEXT PRIMARY KEY NOT NULL,
    alive_at TEXT NOT NULL
) STRICT;

-- Proved spans, merged: `from_at` NULL means since ever.
CREATE TABLE coverage (
    account_id TEXT NOT NULL REFERENCES accounts (id),
    source_id TEXT NOT NULL REFERENCES sources (id),
    from_at TEXT,
    to_at TEXT NOT NULL,
    PRIMARY KEY (source_id, to_at)
) STRICT;

CREATE INDEX coverage_account ON coverage (account_id);

CREATE TABLE posts (
    id INTEGER PRIMARY KEY NOT NULL,
    account_id TEXT NOT NULL REFERENCES accounts (id),
    key TEXT NOT NULL,
    push_key TEXT,
    url TEXT,
    title TEXT NOT NULL,
    published_at TEXT,
    zone_assumed INTEGER NOT NULL CHECK (zone_assumed IN (0, 1)),
    original INTEGER NOT NULL CHECK (original IN (0, 1)),
    text_state TEXT NOT NULL,
    text_origin TEXT NOT NULL,
    listing_hash TEXT NOT NULL,
    text_hash TEXT NOT NULL,
    version INTEGER NOT NULL,
    first_seen_at TEXT NOT NULL,
    fill_attempts INTEGER NOT NULL,
    fill_after TEXT,
    checked_with TEXT NOT NULL,
    UNIQUE (account_id, key)
) STRICT;

CREATE INDEX posts_published ON posts (published_at);
CREATE INDEX posts_account_published ON posts (account_id, published_at);
CREATE INDEX posts_unchecked ON posts (id) WHERE checked_with = '';
CREATE INDEX posts_to_fill ON posts (fill_after) WHERE text_state = 'missing';

-- Every text a post ever had: zstd of title and body, personal data masked. `source_id` is NULL where no listing
-- told it (article page, import).
CREATE TABLE post_versions (
    post_id INTEGER NOT NULL REFERENCES posts (id),
    version INTEGER NOT NULL,
    seen_at TEXT NOT NULL,
    origin TEXT NOT NULL,
    source_id TEXT REFERENCES sources (id),
    text_hash TEXT NOT NULL,
    text_zstd BLOB NOT NULL,
    links TEXT NOT NULL,
    masked TEXT NOT NULL,
    PRIMARY KEY (post_id, version)
) STRICT;

CREATE TABLE violations (
    id TEXT PRIMARY KEY NOT NULL,
    kind TEXT NOT NULL,
    account_id TEXT NOT NULL REFERENCES accounts (id),
    post_id INTEGER REFERENCES posts (id),
    subject TEXT NOT NULL,
    class TEXT,
    severity TEXT NOT NULL,
    tier TEXT NOT NULL,
    state TEXT NOT NULL,
    message TEXT NOT NULL,
    basis TEXT NOT NULL,
    found TEXT NOT NULL,
    suggestion TEXT,
    context_before TEXT,
    context_after TEXT,
    span_start INTEGER,
    span_end INTEGER,
    occurrences INTEGER NOT NULL,
    post_version INTEGER,
    lists_version TEXT,
    window_from TEXT,
    window_to TEXT,
    first_seen_at TEXT NOT NULL
) STRICT;

CREATE INDEX violations_post ON violations (post_id);
CREATE INDEX violations_kind_window ON violations (kind, window_to);

CREATE TABLE violation_events (
    violation_id TEXT NOT NULL REFERENCES violations (id),
    seq INTEGER NOT NULL,
    at TEXT NOT NULL,
    state TEXT NOT NULL,
    detail TEXT NOT NULL,
    PRIMARY KEY (violation_id, seq)
) STRICT;

CREATE TABLE reports (
    kind TEXT NOT NULL,
    last_day TEXT NOT NULL,
    made_at TEXT NOT NULL,
    digest TEXT NOT NULL,
    report_zstd BLOB NOT NULL,
    PRIMARY KEY (kind, last_day, digest)
) STRICT;

CREATE TABLE runs (
    task TEXT NOT NULL,
    started_at TEXT NOT NULL,
    finished_at TEXT,
    summary TEXT,
    PRIMARY KEY (task, started_at)
) STRICT;
