-- The same tables as migrations/postgres/0003_service.sql: what the unattended service remembers.

-- When each account is to be read next, and who is reading it. A lease that has run out is free.
CREATE TABLE crawl_schedule (
    account_id TEXT PRIMARY KEY NOT NULL REFERENCES accounts (id),
    due_at TEXT NOT NULL,
    lease_owner TEXT,
    lease_until TEXT
) STRICT;

CREATE INDEX crawl_schedule_due ON crawl_schedule (due_at);

-- The next free moment of a host or credential, in Unix milliseconds: all nodes together keep its pace.
CREATE TABLE paces (
    key TEXT PRIMARY KEY NOT NULL,
    next_ms INTEGER NOT NULL
) STRICT;

-- The state of each task of the service.
CREATE TABLE tasks (
    task TEXT PRIMARY KEY NOT NULL,
    next_at TEXT NOT NULL,
    lease_owner TEXT,
    lease_until TEXT,
    last_started_at TEXT,
    last_finished_at TEXT,
    last_ok INTEGER CHECK (last_ok IN (0, 1)),
    -- Kept when a later run fails.
    last_success_at TEXT,
    last_result TEXT
) STRICT;

-- Closed weeks: the verdicts are fixed. `number` 0 is the report itself, 1 and on are corrections (更正).
CREATE TABLE week_closes (
    last_day TEXT NOT NULL,
    number INTEGER NOT NULL,
    closed_at TEXT NOT NULL,
    digest TEXT NOT NULL,
    verdicts TEXT NOT NULL,
    changes TEXT NOT NULL,
    PRIMARY KEY (last_day, number)
) STRICT;

-- Messages to people: stored before they are sent. `key` makes a repeated one the same.
CREATE TABLE outbox (
    key TEXT PRIMARY KEY NOT NULL,
    channel TEXT NOT NULL,
    kind TEXT NOT NULL,
    message TEXT NOT NULL,
    created_at TEXT NOT NULL,
    due_at TEXT,
    attempts INTEGER NOT NULL,
    sent_at TEXT,
    last_error TEXT
) STRICT;

CREATE INDEX outbox_due ON outbox (due_at);

-- Links found in posts, each checked once for all posts that hold it.
CREATE TABLE links (
    url TEXT PRIMARY KEY NOT NULL,
    state TEXT NOT NULL,
    status INTEGER,
    detail TEXT NOT NULL,
    first_bad_at TEXT,
    checked_at TEXT,
    due_at TEXT
) STRICT;

CREATE INDEX links_due ON links (due_at);

CREATE TABLE post_links (
    post_id INTEGER NOT NULL REFERENCES posts (id),
    url TEXT NOT NULL REFERENCES links (url),
    text TEXT NOT NULL,
    PRIMARY KEY (post_id, url)
) STRICT;

CREATE INDEX post_links_url ON post_links (url);

-- Whether the links of a version have been entered in `links`; a version without links matters only where an earlier
-- one had some.
ALTER TABLE post_versions ADD COLUMN links_entered INTEGER NOT NULL DEFAULT 0 CHECK (links_entered IN (0, 1));
CREATE INDEX post_versions_links ON post_versions (post_id, version)
    WHERE NOT links_entered AND (links <> '[]' OR version > 1);

-- The last recheck of a post with open problems.
ALTER TABLE posts ADD COLUMN rechecked_at TEXT;
ALTER TABLE posts ADD COLUMN recheck_outcome TEXT;
-- The post was first told by a listing that proves it was not there before: its publish time is in doubt.
ALTER TABLE posts ADD COLUMN backdated_after TEXT;

-- What concerns one account: its pages, and what retention must leave alone.
CREATE INDEX violations_account ON violations (account_id);
CREATE INDEX posts_backdated ON posts (id) WHERE backdated_after IS NOT NULL;
