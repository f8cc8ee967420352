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

-- What has faded: a link of role 'fades' says how much of a record is left. Caches read them again where one came or went.
ALTER TABLE walls ADD COLUMN fading INTEGER NOT NULL DEFAULT 0;  -- counts changes to them

CREATE INDEX links_fading ON links (wall, retired_at) WHERE role = 'fades';
CREATE INDEX links_contradicting ON links (wall, row) WHERE role = 'contradicts' AND retired_at IS NULL;

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
-- What the episodes of a wall call whom: an index of what their claims say, made anew with them. `other` is '' where an
-- episode speaks of somebody under this name; else the name is said to be another one of whom `other` names.
CREATE TABLE names (
    wall INTEGER NOT NULL REFERENCES walls (wall),
    name TEXT NOT NULL,                   -- folded
    other TEXT NOT NULL,                  -- folded
    num INTEGER NOT NULL,                 -- of the episode
    how TEXT NOT NULL,                    -- about, self, named; told, own, near, speaks, rival
    nth INTEGER NOT NULL,                 -- among the names of its episode
    spelling TEXT NOT NULL,
    PRIMARY KEY (wall, name, other, num)
) WITHOUT ROWID;
CREATE INDEX names_other ON names (wall, other, name, how) WHERE other <> '';
CREATE INDEX names_num ON names (wall, num);

-- Under which name the statements about each name are arranged at present. A name that is missing here has to be looked
-- at again.
CREATE TABLE called (
    wall INTEGER NOT NULL REFERENCES walls (wall),
    name TEXT NOT NULL,
    about TEXT NOT NULL,                  -- the name that the one meant is known by
    spelling TEXT NOT NULL,               -- of that one
    entity TEXT,                          -- the id of its record
    PRIMARY KEY (wall, name)
) WITHOUT ROWID;
CREATE INDEX called_about ON called (wall, about);
CREATE INDEX called_entity ON called (entity) WHERE entity IS NOT NULL;

-- So that the names of what was derived before are known, too.
INSERT OR IGNORE INTO pending SELECT DISTINCT wall, num FROM records
WHERE kind = 'episode' AND num IS NOT NULL AND erased_by IS NULL;
-- What views read: what was said in a session, what is so of a subject, and what is to come.
CREATE INDEX records_said ON records (wall, session, time) WHERE retired_at IS NULL AND kind = 'episode';
CREATE INDEX records_about ON records (wall, lower(coalesce(subject, '')), time)
    WHERE retired_at IS NULL AND kind IN ('fact', 'preference', 'relationship', 'goal', 'instruction', 'decision');
CREATE INDEX records_ahead ON records (wall, valid_from)
    WHERE retired_at IS NULL AND kind IN ('goal', 'event') AND (kind = 'goal' OR valid_from > time);

-- Which turns belong to a topic's cluster, with the vector of each that leads one (topics.py), and how far that has come.
CREATE TABLE placed (
    wall INTEGER NOT NULL REFERENCES walls (wall),
    num INTEGER NOT NULL,                 -- of the turn
    leader INTEGER NOT NULL,              -- of the turn that leads its cluster
    vector BLOB,                          -- of a leader, int16
    PRIMARY KEY (wall, num)
) WITHOUT ROWID;
CREATE INDEX placed_leader ON placed (wall, leader);
CREATE INDEX placed_leading ON placed (wall, num) WHERE vector IS NOT NULL;

CREATE TABLE placing (
    wall INTEGER PRIMARY KEY REFERENCES walls (wall),
    space TEXT NOT NULL,                  -- embedding space of the vectors
    next INTEGER NOT NULL                 -- document from which on nothing has been placed
);

-- Calls that came with a key of their caller's, so that the same one again changes nothing and is answered alike.
CREATE TABLE calls (
    key TEXT PRIMARY KEY,                 -- hash of the caller's key and the walls
    tenant TEXT NOT NULL,
    at INTEGER NOT NULL,
    receipt TEXT NOT NULL,                -- what it wrote: this row is of the same transaction
    request TEXT,                         -- hash of what was asked; goes with the tenant's next erasure
    answer TEXT                           -- its receipt, as JSON, once all of it was done; goes likewise
) WITHOUT ROWID;
CREATE INDEX calls_at ON calls (at);
