-- The same table as migrations/sqlite/0004_learning.sql: what people decided of wording findings.

-- No reference to violations: what was learned outlives them. `tier` is that of the finding before anybody decided.
-- `entry` is counted together with `violations.subject` and has its collation.
CREATE TABLE wording_decisions (
    violation_id TEXT COLLATE "C" PRIMARY KEY NOT NULL,
    decision TEXT NOT NULL,
    entry TEXT NOT NULL,
    class TEXT,
    severity TEXT NOT NULL,
    tier TEXT NOT NULL,
    words TEXT NOT NULL,
    suggestion TEXT,
    context_before TEXT,
    context_after TEXT,
    at TIMESTAMPTZ NOT NULL,
    note TEXT
);

-- Counted for each batch of texts that is judged: the index alone answers.
CREATE INDEX wording_decisions_entry ON wording_decisions (entry, decision);
