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

-- What is known of a name.
CREATE INDEX records_subject ON records (wall, subject) WHERE subject IS NOT NULL AND retired_at IS NULL;
-- What has faded: a link of role 'fades' says how much of a record is left. Caches read them again where one came or went.
ALTER TABLE walls ADD COLUMN fading INTEGER NOT NULL DEFAULT 0;  -- counts changes to them

CREATE INDEX links_fading ON links (wall, retired_at) WHERE role = 'fades';

CREATE INDEX records_forget ON records (wall) WHERE kind = 'forget';

CREATE TRIGGER fading_added AFTER INSERT ON links WHEN new.role = 'fades' BEGIN
    UPDATE walls SET fading = fading + 1, changed = changed + 1 WHERE wall = new.wall;
END;

CREATE TRIGGER fading_changed AFTER UPDATE ON links WHEN new.role = 'fades' BEGIN
    UPDATE walls SET fading = fading + 1, changed = changed + 1 WHERE wall = new.wall;
END;

CREATE TRIGGER fading_gone AFTER DELETE ON links WHEN old.role = 'fades' BEGIN
    UPDATE walls SET fading = fading + 1, changed = changed + 1 WHERE wall = old.wall;
END;

-- What is cold has small vectors: bits that say which documents, then a float32 scale each, then a byte for each number. The
-- others' are in `vectors`, in the order of their documents.
ALTER TABLE segments ADD COLUMN coarse BLOB;

-- When forgetting looks again at a part of a wall: a run of documents of equal length. A part without a row is due.
CREATE TABLE decays (
    wall INTEGER NOT NULL REFERENCES walls (wall),
    part INTEGER NOT NULL,                -- which, from 0
    policy TEXT NOT NULL,                 -- the policy that has looked at it, with its parameters
    due INTEGER NOT NULL,                 -- when by that policy something changes next; 0: something was used, or changed
    warm INTEGER NOT NULL,                -- documents in it that are held and not cold
    cold INTEGER NOT NULL,                -- documents in it that are cold
    PRIMARY KEY (wall, part)
) WITHOUT ROWID;
