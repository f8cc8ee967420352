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
CREATE INDEX names_other ON names (wall, other, name) WHERE other <> '';
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
