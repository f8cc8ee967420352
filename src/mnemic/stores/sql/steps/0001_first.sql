-- The first format. Times are UTC microseconds since 1970; '' in a wall column means none; booleans are 0 and 1.

CREATE TABLE walls (
    wall INTEGER PRIMARY KEY,
    tenant TEXT NOT NULL,
    project TEXT NOT NULL,
    user TEXT NOT NULL,
    size INTEGER NOT NULL DEFAULT 0,      -- document numbers given out
    changed INTEGER NOT NULL DEFAULT 0,   -- counts changes to documents already numbered
    epoch INTEGER NOT NULL DEFAULT 0,     -- raised by erasures and re-embeddings: caches start anew
    UNIQUE (tenant, user, project)
);

-- One row per revision of a record. Only retired_at, closed_by and (by erasure) emptiness ever change in a row.
CREATE TABLE records (
    row INTEGER PRIMARY KEY,
    id TEXT NOT NULL,
    revision INTEGER NOT NULL,
    wall INTEGER NOT NULL REFERENCES walls (wall),
    num INTEGER,                          -- document number in the wall; NULL: not searchable
    kind TEXT NOT NULL,
    key TEXT,
    text TEXT,
    subject TEXT,
    aliases TEXT,                         -- JSON array
    purpose TEXT,
    data TEXT,                            -- JSON object
    metadata TEXT,                        -- JSON object
    payload_ref TEXT,
    role TEXT,
    speaker TEXT,
    agent TEXT,
    session TEXT,
    message_id TEXT,
    part INTEGER,                         -- which passage of its message, from 0; NULL: a whole message
    start INTEGER,                        -- first character of the passage in its message
    stop INTEGER,                         -- one past its last character
    source TEXT NOT NULL,
    author TEXT,
    confidence REAL,
    pinned INTEGER NOT NULL DEFAULT 0,
    quarantined INTEGER NOT NULL DEFAULT 0,
    time INTEGER NOT NULL,
    time_precision TEXT NOT NULL,
    valid_from INTEGER,
    valid_to INTEGER,
    valid_precision TEXT,
    expires_at INTEGER,
    superseded_by TEXT,
    derivation TEXT,                      -- recipe and version; NULL: observed, or done by hand
    recorded_at INTEGER NOT NULL,
    retired_at INTEGER,                   -- NULL: the memory holds this revision now
    opened_by TEXT NOT NULL,              -- receipt
    closed_by TEXT,                       -- receipt
    erased_by TEXT,                       -- receipt; the row is empty
    fingerprint TEXT,                     -- what the same content is known by; gone with an erasure
    salt BLOB,                            -- of the payload hash in the journal; gone with an erasure
    UNIQUE (id, revision)
);
CREATE INDEX records_document ON records (wall, num) WHERE num IS NOT NULL;
CREATE INDEX records_message ON records (wall, message_id) WHERE message_id IS NOT NULL;
CREATE UNIQUE INDEX records_key ON records (wall, key)
    WHERE key IS NOT NULL AND retired_at IS NULL AND superseded_by IS NULL AND quarantined = 0;
CREATE INDEX records_fingerprint ON records (wall, fingerprint) WHERE fingerprint IS NOT NULL AND revision = 1;
CREATE INDEX records_other ON records (wall, kind) WHERE num IS NULL;

CREATE TABLE links (
    row INTEGER PRIMARY KEY,
    wall INTEGER NOT NULL REFERENCES walls (wall),
    source_id TEXT NOT NULL,
    target_id TEXT NOT NULL,
    role TEXT NOT NULL,
    position INTEGER NOT NULL DEFAULT 0,
    weight REAL NOT NULL DEFAULT 1.0,
    data TEXT,                            -- JSON object
    time INTEGER,
    recorded_at INTEGER NOT NULL,
    retired_at INTEGER,
    opened_by TEXT NOT NULL,
    closed_by TEXT
);
CREATE INDEX links_source ON links (source_id, role);
CREATE INDEX links_target ON links (target_id, role);

-- Packed runs of documents: see postings.py. Small columns come first: to reach one behind a long blob, SQLite walks
-- through all of the blob's pages.
CREATE TABLE segments (
    wall INTEGER NOT NULL REFERENCES walls (wall),
    first INTEGER NOT NULL,
    size INTEGER NOT NULL,
    space TEXT,                           -- embedding space of tokens and vectors; NULL: none
    dims INTEGER,
    terms BLOB NOT NULL,
    starts BLOB NOT NULL,
    documents BLOB NOT NULL,
    counts BLOB NOT NULL,
    lengths BLOB NOT NULL,
    tokens BLOB,
    token_counts BLOB,
    vectors BLOB,
    PRIMARY KEY (wall, first)
);

CREATE TABLE receipts (
    id TEXT PRIMARY KEY,
    tenant TEXT NOT NULL,
    verb TEXT NOT NULL,
    at INTEGER NOT NULL,
    actor TEXT,
    first_seq INTEGER NOT NULL,           -- its rows in the tenant's journal
    last_seq INTEGER NOT NULL,
    undoes TEXT,                          -- the receipt that this one takes back
    details TEXT                          -- JSON object: pending, model calls, tokens
) WITHOUT ROWID;

-- A hash chain per tenant. hash = sha256(previous hash, the other columns); payload = sha256(salt, payload).
CREATE TABLE journal (
    tenant TEXT NOT NULL,
    seq INTEGER NOT NULL,
    receipt TEXT NOT NULL,
    at INTEGER NOT NULL,
    actor TEXT,
    action TEXT NOT NULL,
    wall INTEGER NOT NULL,
    num INTEGER,
    id TEXT NOT NULL,
    revision INTEGER NOT NULL,
    payload BLOB,
    hash BLOB NOT NULL,
    PRIMARY KEY (tenant, seq)
) WITHOUT ROWID;

CREATE TABLE settings (
    name TEXT PRIMARY KEY,
    value
) WITHOUT ROWID;
