-- What a model has answered, by the hash of what it was asked, so that it is asked once; and what it rests on: the turns
-- of the segment, then the known facts that it was shown.
CREATE TABLE answers (
    wall INTEGER NOT NULL REFERENCES walls (wall),
    key TEXT NOT NULL,                    -- hash of prompt, model and parameters
    model TEXT NOT NULL,
    asked TEXT NOT NULL,                  -- JSON object: the turns by id, the known facts and names
    text TEXT NOT NULL,                   -- as the model gave it
    at INTEGER NOT NULL,
    PRIMARY KEY (wall, key)
) WITHOUT ROWID;

CREATE TABLE answer_evidence (
    id TEXT NOT NULL,                     -- of a record: erasing it erases the answer
    wall INTEGER NOT NULL,
    key TEXT NOT NULL,
    PRIMARY KEY (id, wall, key)
) WITHOUT ROWID;

-- What models have cost, by day (UTC) and user: counted in the transaction that keeps what was paid for.
CREATE TABLE spending (
    day TEXT NOT NULL,
    tenant TEXT NOT NULL,
    user TEXT NOT NULL,
    calls INTEGER NOT NULL,
    tokens_in INTEGER NOT NULL,
    tokens_out INTEGER NOT NULL,
    money REAL NOT NULL,
    PRIMARY KEY (day, tenant, user)
) WITHOUT ROWID;

-- How far a job of upkeep has read a tenant's journal, and what it has found to be redone.
CREATE TABLE watermarks (
    tenant TEXT NOT NULL,
    job TEXT NOT NULL,
    seq INTEGER NOT NULL,
    PRIMARY KEY (tenant, job)
) WITHOUT ROWID;

CREATE TABLE stale (
    wall INTEGER NOT NULL REFERENCES walls (wall),
    job TEXT NOT NULL,
    part TEXT NOT NULL,                   -- the key of a view, a session's name, …: the job knows
    PRIMARY KEY (wall, job, part)
) WITHOUT ROWID;

-- What views read: what was said in a session, what is so of a subject, and what is to come.
CREATE INDEX records_said ON records (wall, session, time) WHERE retired_at IS NULL AND kind = 'episode';
CREATE INDEX records_about ON records (wall, lower(coalesce(subject, '')))
    WHERE retired_at IS NULL AND kind IN ('fact', 'preference', 'relationship', 'goal', 'instruction', 'decision');
CREATE INDEX records_ahead ON records (wall, valid_from)
    WHERE retired_at IS NULL AND kind IN ('goal', 'event') AND (kind = 'goal' OR valid_from > time);
