-- The same changes as migrations/postgres/0002_interfaces.sql.

-- A listing may prove nothing after an instant: statistics of whole days end with yesterday.
ALTER TABLE crawls ADD COLUMN until_at TEXT;
ALTER TABLE source_states ADD COLUMN until_at TEXT;

-- How a source is doing: the last listing that held a post, the platform's own counter, failures since the last
-- success by outcome.
ALTER TABLE source_states ADD COLUMN last_nonempty_at TEXT;
ALTER TABLE source_states ADD COLUMN total INTEGER;
ALTER TABLE source_states ADD COLUMN failure_counts TEXT NOT NULL DEFAULT '{}';

-- Publish, edit and first-seen times are kept apart. `removed_at`: when the platform was first seen to call it deleted.
ALTER TABLE posts ADD COLUMN edited_at TEXT;
ALTER TABLE posts ADD COLUMN removed_at TEXT;

-- How the platform shows an account, as each source told it last.
CREATE TABLE account_profiles (
    source_id TEXT PRIMARY KEY NOT NULL REFERENCES sources (id),
    account_id TEXT NOT NULL REFERENCES accounts (id),
    name TEXT,
    verified INTEGER CHECK (verified IN (0, 1)),
    platform_id TEXT,
    seen_at TEXT NOT NULL,
    -- The last time it was shown as verified.
    verified_at TEXT
) STRICT;
