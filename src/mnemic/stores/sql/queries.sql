-- Each query has a name and a sentence. Every value is bound; lists are JSON arrays. CROSS JOIN keeps the order of the
-- tables: the list first, then the index; a + before a column keeps SQLite from choosing an index by it.

-- name: setting
-- One setting of the store.
SELECT value FROM settings WHERE name = :name;

-- name: set_setting
-- Keep a setting.
INSERT INTO settings (name, value) VALUES (:name, :value) ON CONFLICT (name) DO UPDATE SET value = excluded.value;

-- name: drop_setting
-- Forget a setting that still has this value.
DELETE FROM settings WHERE name = :name AND value = :value;

-- name: wall_named
-- The wall of these names.
SELECT * FROM walls WHERE tenant = :tenant AND user = :user AND project = :project;

-- name: walls_of_users
-- Walls of a tenant for the users named ('' among them where records of no user are wanted).
SELECT wall, tenant, project, user, size, changed, epoch, pending, fading FROM walls
WHERE tenant = :tenant AND user IN (SELECT value FROM json_each(:users)) ORDER BY wall;

-- name: all_walls
-- Every wall of the file.
SELECT wall, tenant, project, user, size, changed, epoch, pending, fading FROM walls ORDER BY wall;

-- name: wall_by_number
-- One wall.
SELECT wall, tenant, project, user, size, changed, epoch, pending, fading FROM walls WHERE wall = :wall;

-- name: add_wall
-- A new wall.
INSERT INTO walls (tenant, project, user) VALUES (:tenant, :project, :user);

-- name: grow_wall
-- Give out document numbers.
UPDATE walls SET size = size + :more WHERE wall = :wall;

-- name: touch_wall
-- Tell caches that documents already numbered have changed.
UPDATE walls SET changed = changed + 1 WHERE wall = :wall;

-- name: raise_epoch
-- Tell caches to start anew.
UPDATE walls SET epoch = epoch + 1, changed = changed + 1 WHERE wall = :wall;

-- name: add_record
-- One revision of a record.
INSERT INTO records (
    id, revision, wall, num, kind, key, text, subject, aliases, purpose, data, metadata, payload_ref, role, speaker,
    agent, session, message_id, part, start, stop, source, author, confidence, pinned, quarantined, time,
    time_precision, valid_from, valid_to, valid_precision, expires_at, superseded_by, derivation, recorded_at,
    retired_at, opened_by, closed_by, erased_by, fingerprint, salt
) VALUES (
    :id, :revision, :wall, :num, :kind, :key, :text, :subject, :aliases, :purpose, :data, :metadata, :payload_ref,
    :role, :speaker, :agent, :session, :message_id, :part, :start, :stop, :source, :author, :confidence, :pinned,
    :quarantined, :time, :time_precision, :valid_from, :valid_to, :valid_precision, :expires_at, :superseded_by,
    :derivation, :recorded_at, :retired_at, :opened_by, :closed_by, :erased_by, :fingerprint, :salt
);

-- name: close_record
-- The memory no longer holds this revision.
UPDATE records SET retired_at = :at, closed_by = :receipt WHERE id = :id AND revision = :revision;

-- name: latest_of
-- The latest revision of each id, whatever its state.
SELECT records.* FROM json_each(:ids) AS wanted CROSS JOIN records ON records.id = wanted.value
WHERE revision = (SELECT max(revision) FROM records AS other WHERE other.id = records.id);

-- name: revisions_of
-- Every revision of an id, oldest first.
SELECT * FROM records WHERE id = :id ORDER BY revision;

-- name: revision_known_at
-- The revision that the memory held at an instant.
SELECT * FROM records WHERE id = :id AND recorded_at <= :at AND (retired_at IS NULL OR retired_at > :at)
ORDER BY revision DESC LIMIT 1;

-- name: records_by_row
-- Records by row number.
SELECT records.* FROM json_each(:rows) AS wanted CROSS JOIN records ON records.row = wanted.value;

-- name: texts_by_row
-- The texts of records, by row number.
SELECT row, text FROM json_each(:rows) AS wanted CROSS JOIN records ON records.row = wanted.value;

-- name: by_fingerprint
-- The records of a wall with the same content, oldest first.
SELECT records.id, fingerprint FROM json_each(:fingerprints) AS wanted CROSS JOIN records
ON wall = :wall AND fingerprint = wanted.value AND fingerprint IS NOT NULL GROUP BY records.id ORDER BY min(row);

-- name: names_by_row
-- What these revisions are called, for finding them by name.
SELECT row, id, kind, subject, aliases, data, superseded_by FROM records
WHERE row IN (SELECT value FROM json_each(:rows)) AND (subject IS NOT NULL OR aliases IS NOT NULL);

-- name: rows_about
-- Revisions with a subject, for comparing names.
SELECT row, kind, subject, aliases FROM records WHERE wall IN (SELECT value FROM json_each(:walls))
AND num IS NOT NULL AND (subject IS NOT NULL OR aliases IS NOT NULL);

-- name: feedback_held
-- The latest acts of feedback that a wall held at an instant, the latest first. Their fingerprints begin alike and go on
-- with their time.
SELECT held.row, held.id, held.agent, held.session, first.fingerprint FROM records AS first
CROSS JOIN records AS held ON held.id = first.id
WHERE first.wall = :wall AND first.fingerprint BETWEEN :first AND :last AND first.revision = 1 AND held.kind = 'act'
AND held.recorded_at <= :at AND (held.retired_at IS NULL OR held.retired_at > :at)
ORDER BY first.fingerprint DESC LIMIT :most;

-- name: feedback_on
-- The last word on results: the latest act of feedback that a wall holds on them.
SELECT held.* FROM records AS first CROSS JOIN records AS held ON held.id = first.id
WHERE first.wall = :wall AND first.fingerprint BETWEEN :first AND :last AND first.revision = 1 AND held.kind = 'act'
AND held.retired_at IS NULL AND instr(held.data, '"' || :results || '"') > 0
ORDER BY first.fingerprint DESC LIMIT 1;

-- name: documents_shown
-- Whose these documents are.
SELECT DISTINCT num, id, erased_by FROM records WHERE wall = :wall AND num IN (SELECT value FROM json_each(:nums));

-- name: versions_of_message
-- Every episode of a caller's message, of all its versions.
SELECT * FROM records WHERE wall = :wall AND message_id = :message_id AND kind = 'episode'
AND agent IS :agent AND session IS :session ORDER BY row;

-- name: messages_held
-- Which of these message ids a wall holds at all.
SELECT DISTINCT message_id FROM json_each(:message_ids) AS wanted CROSS JOIN records ON message_id = wanted.value
WHERE wall = :wall AND message_id IS NOT NULL;

-- name: current_by_key
-- The current record of a key.
SELECT * FROM records WHERE wall = :wall AND key = :key AND retired_at IS NULL
AND superseded_by IS NULL AND quarantined = 0;

-- name: keys_held
-- Which of these keys current records of a wall have.
SELECT key, id, kind, role FROM records WHERE wall = :wall AND key IN (SELECT value FROM json_each(:keys))
AND key IS NOT NULL AND retired_at IS NULL AND superseded_by IS NULL AND quarantined = 0;

-- name: file_at
-- The passages of the current file with a key: the first has that key, the others have keys below it.
SELECT * FROM records WHERE wall = :wall AND key = :key AND kind = 'file' AND role = 'document'
AND retired_at IS NULL AND superseded_by IS NULL AND quarantined = 0
UNION ALL
SELECT * FROM records WHERE wall = :wall AND key > :key || '//' AND key < :key || '/0'
AND kind = 'file' AND role = 'document' AND retired_at IS NULL AND superseded_by IS NULL AND quarantined = 0
ORDER BY part;

-- name: files_between
-- The passages of current files with keys in an interval.
SELECT * FROM records WHERE wall = :wall AND key > :first AND key < :until AND kind = 'file' AND role = 'document'
AND retired_at IS NULL AND superseded_by IS NULL AND quarantined = 0 ORDER BY key;

-- name: files_many
-- How many current files have keys in an interval; counted up to so many.
SELECT count(*) AS files FROM (SELECT 1 FROM records WHERE wall = :wall AND key > :first AND key < :until
AND instr(key, '//') = 0 AND retired_at IS NULL AND superseded_by IS NULL AND quarantined = 0 LIMIT :most);

-- name: file_sizes
-- The passages of current files with keys in an interval, without their text.
SELECT key, id, part, fingerprint, time, recorded_at, length(CAST(text AS BLOB)) AS bytes FROM records
WHERE wall = :wall AND key > :first AND key < :until AND kind = 'file' AND role = 'document'
AND retired_at IS NULL AND superseded_by IS NULL AND quarantined = 0 ORDER BY key;

-- name: files_known_at
-- The passages of files with keys in an interval that the memory held at an instant.
SELECT * FROM records WHERE wall = :wall AND num IS NOT NULL AND kind = 'file' AND role = 'document'
AND key > :first AND key < :until AND superseded_by IS NULL AND quarantined = 0
AND recorded_at <= :at AND (retired_at IS NULL OR retired_at > :at) ORDER BY row;

-- name: files_ever
-- The passages of files that have ever had a key in an interval.
SELECT DISTINCT id, fingerprint FROM records WHERE wall = :wall AND num IS NOT NULL AND kind = 'file'
AND role = 'document' AND key >= :first AND key < :until;

-- name: passages_ever
-- Every revision of every passage that these files have had.
SELECT * FROM records WHERE wall = :wall AND fingerprint IN (SELECT value FROM json_each(:fingerprints))
AND fingerprint IS NOT NULL AND kind = 'file' ORDER BY row;

-- name: documents_from
-- What a frame needs of each document from a number on: its latest revision. It is gone where it was erased, or where
-- its record has gone on with another text.
SELECT num, row, kind, session, agent, speaker, time, valid_from, valid_to, expires_at, superseded_by, quarantined,
    retired_at, role, subject, pinned, derivation, erased_by, part, erased_by IS NOT NULL OR retired_at IS NOT NULL AND EXISTS (
        SELECT 1 FROM records AS later WHERE later.id = records.id AND later.revision > records.revision
    ) AS gone
FROM records WHERE wall = :wall AND num >= :first AND num < :until ORDER BY num, revision;

-- name: documents_changed
-- Documents whose state changed after a place in the journal. A new revision with another text has another document: the
-- one of the revision before it, which the journal does not name, has changed, too.
SELECT DISTINCT records.num FROM journal CROSS JOIN records ON records.id = journal.id
WHERE journal.tenant = :tenant AND journal.seq > :seq AND journal.wall = :wall AND records.num IS NOT NULL;

-- name: documents_named
-- The latest revision of these documents, as documents_from gives them.
SELECT num, row, kind, session, agent, speaker, time, valid_from, valid_to, expires_at, superseded_by, quarantined,
    retired_at, role, subject, pinned, derivation, erased_by, part, erased_by IS NOT NULL OR retired_at IS NOT NULL AND EXISTS (
        SELECT 1 FROM records AS later WHERE later.id = records.id AND later.revision > records.revision
    ) AS gone
FROM records WHERE wall = :wall AND num IN (SELECT value FROM json_each(:nums)) ORDER BY num, revision;

-- name: documents_known_at
-- A wall's documents as the memory had them at an instant, as documents_from gives them.
SELECT num, row, kind, session, agent, speaker, time, valid_from, valid_to, expires_at, superseded_by, quarantined,
    CASE WHEN retired_at <= :at THEN retired_at END AS retired_at, role, subject, pinned, derivation, erased_by, part,
    retired_at <= :at AND EXISTS (
        SELECT 1 FROM records AS later
        WHERE later.id = records.id AND later.revision > records.revision AND later.recorded_at <= :at
    ) AS gone
FROM records WHERE wall = :wall AND num < :until AND recorded_at <= :at AND erased_by IS NULL
ORDER BY num, revision;

-- name: texts_of_documents
-- The texts behind document numbers, for indexing them again.
SELECT num, id, kind, text, subject, aliases, speaker, role, derivation FROM records
WHERE wall = :wall AND num >= :first AND num < :until AND erased_by IS NULL
ORDER BY num, revision;

-- name: segments_from
-- Segments that reach beyond a document number.
SELECT * FROM segments WHERE wall = :wall AND first + size > :first ORDER BY first;

-- name: segments_in
-- Segments from one document number up to another.
SELECT * FROM segments WHERE wall = :wall AND first >= :first ORDER BY first;

-- name: segment_of
-- The segment that holds a document.
SELECT * FROM segments WHERE wall = :wall AND first <= :num AND first + size > :num ORDER BY first DESC LIMIT 1;

-- name: segment_sizes
-- Where a wall's last segments begin and how large they are, last first.
SELECT first, size, space FROM segments WHERE wall = :wall ORDER BY first DESC LIMIT 64;

-- name: add_segment
-- A packed run of documents.
INSERT INTO segments (wall, first, size, terms, starts, documents, counts, lengths, space, dims, tokens, token_counts,
    vectors, coarse)
VALUES (:wall, :first, :size, :terms, :starts, :documents, :counts, :lengths, :space, :dims, :tokens, :token_counts,
    :vectors, :coarse);

-- name: segments_coarse
-- How many documents of each segment with vectors have small ones: bits that say whose, then a scale and a byte a number.
SELECT first, size, coalesce((length(coarse) - (size + 7) / 8) / (4 + dims), 0) AS coarse FROM segments
WHERE wall = :wall AND dims IS NOT NULL ORDER BY first;

-- name: cold_in
-- The documents of a wall that have faded to nothing by time, from a number on.
SELECT records.num FROM records CROSS JOIN links ON links.source_id = records.id AND links.role = 'fades'
WHERE records.wall = :wall AND records.num >= :first AND records.num < :until AND records.retired_at IS NULL
AND links.target_id = records.id AND links.retired_at IS NULL AND links.weight = 0;

-- name: drop_segment
-- A segment that another one replaces.
DELETE FROM segments WHERE wall = :wall AND first = :first;

-- name: add_link
-- An edge.
INSERT INTO links (wall, source_id, target_id, role, position, weight, data, time, recorded_at, retired_at, opened_by,
    closed_by)
VALUES (:wall, :source_id, :target_id, :role, :position, :weight, :data, :time, :recorded_at, :retired_at, :opened_by,
    :closed_by);

-- name: links_from
-- Edges that leave these records, closed ones too.
SELECT links.* FROM json_each(:ids) AS wanted CROSS JOIN links ON source_id = wanted.value
WHERE role = :role ORDER BY source_id, position, row;

-- name: links_to
-- Edges that reach these records.
SELECT links.* FROM json_each(:ids) AS wanted CROSS JOIN links ON target_id = wanted.value
WHERE role = :role ORDER BY target_id, row;

-- name: fading_in
-- How much is left of the documents of a wall that fade: as the edges say that fade them, the least where several do.
-- The + keeps SQLite from going through the whole wall for each edge.
SELECT records.num, min(links.weight) AS weight FROM links CROSS JOIN records ON records.id = links.target_id
WHERE links.wall = :wall AND links.role = 'fades' AND links.retired_at IS NULL
AND +records.wall = :wall AND +records.num IS NOT NULL GROUP BY records.num;

-- name: fading_from
-- The same of documents from a number on.
SELECT records.num, min(links.weight) AS weight FROM records CROSS JOIN links ON links.target_id = records.id
WHERE records.wall = :wall AND records.num >= :first
AND +links.wall = :wall AND links.role = 'fades' AND links.retired_at IS NULL GROUP BY records.num;

-- name: fading_known_at
-- The same as the memory had it at an instant.
SELECT records.num, min(links.weight) AS weight FROM links CROSS JOIN records ON records.id = links.target_id
WHERE links.wall = :wall AND links.role = 'fades' AND links.recorded_at <= :at
AND (links.retired_at IS NULL OR links.retired_at > :at)
AND +records.wall = :wall AND +records.num IS NOT NULL GROUP BY records.num;

-- name: fading
-- The edges that fade these records, held at an instant, the strongest first.
SELECT links.* FROM json_each(:ids) AS wanted CROSS JOIN links ON links.target_id = wanted.value
WHERE links.role = 'fades' AND links.recorded_at <= :at AND (links.retired_at IS NULL OR links.retired_at > :at)
AND EXISTS (SELECT 1 FROM records WHERE records.id = links.target_id AND +records.wall = links.wall)
ORDER BY links.weight, links.row;

-- name: links_numbered
-- Edges by row number.
SELECT links.* FROM json_each(:rows) AS wanted CROSS JOIN links ON links.row = wanted.value;

-- name: links_out
-- Edges that leave a record, from one on.
SELECT row, role, target_id FROM links WHERE source_id = :id AND retired_at IS NULL AND row > :after ORDER BY row LIMIT :most;

-- name: links_in
-- Edges that reach a record, from one on.
SELECT row, role, source_id FROM links WHERE target_id = :id AND retired_at IS NULL AND row > :after ORDER BY row LIMIT :most;

-- name: contradictions
-- The edges between records of some walls that cannot both be so, before one, the last first. Each pair has one each way.
SELECT row, source_id, target_id FROM json_each(:walls) AS wanted CROSS JOIN links ON links.wall = wanted.value
WHERE role = 'contradicts' AND retired_at IS NULL AND row < :before AND source_id < target_id
ORDER BY row DESC LIMIT :most;

-- name: links_touching
-- Every edge of these records, closed ones too.
SELECT links.* FROM links WHERE source_id IN (SELECT value FROM json_each(:ids))
OR target_id IN (SELECT value FROM json_each(:ids)) ORDER BY row;

-- name: close_links_of_receipt
-- Take back the edges that a receipt drew; those that fade go by what they say.
UPDATE links SET retired_at = :at, closed_by = :receipt WHERE opened_by = :of AND retired_at IS NULL AND role <> 'fades';

-- name: links_closed_by
-- The edges that a receipt took back.
SELECT * FROM links WHERE closed_by = :receipt AND role <> 'fades';

-- name: drop_links
-- Edges of erased records go with them.
DELETE FROM links WHERE source_id IN (SELECT value FROM json_each(:ids))
OR target_id IN (SELECT value FROM json_each(:ids));

-- name: empty_record
-- Erasure: every revision keeps id, revision, wall, number, times and actor, and nothing else.
UPDATE records SET kind = '', key = NULL, text = NULL, subject = NULL, aliases = NULL, purpose = NULL, data = NULL,
    metadata = NULL, payload_ref = NULL, role = NULL, speaker = NULL, agent = NULL, session = NULL, message_id = NULL,
    part = NULL, start = NULL, stop = NULL, source = '', confidence = NULL, pinned = 0, quarantined = 0,
    time = recorded_at, time_precision = 'second', valid_from = NULL, valid_to = NULL, valid_precision = NULL,
    expires_at = NULL, superseded_by = NULL, derivation = NULL, fingerprint = NULL, salt = NULL, erased_by = :receipt,
    retired_at = coalesce(retired_at, :at), closed_by = coalesce(closed_by, :receipt)
WHERE id = :id AND erased_by IS NULL;

-- name: ids_in_wall
-- Ids of a wall that are not erased, for erasing or exporting all of it.
SELECT DISTINCT id FROM records WHERE wall = :wall AND erased_by IS NULL
AND (:session IS NULL OR session = :session) AND (:agent IS NULL OR agent = :agent) ORDER BY id;

-- name: rows_in_wall
-- Every revision in a wall, in the order of recording.
SELECT * FROM records WHERE wall = :wall AND erased_by IS NULL
AND (:session IS NULL OR session = :session) AND (:agent IS NULL OR agent = :agent) ORDER BY row;

-- name: links_in_wall
-- Every edge of a wall.
SELECT * FROM links WHERE wall = :wall ORDER BY row;

-- name: add_receipt
-- One per call that wrote.
INSERT INTO receipts (id, tenant, verb, at, actor, first_seq, last_seq, undoes, details)
VALUES (:id, :tenant, :verb, :at, :actor, :first_seq, :last_seq, :undoes, :details);

-- name: receipt
-- One receipt.
SELECT * FROM receipts WHERE id = :id;

-- name: call
-- A call that came with a key of its caller's.
SELECT * FROM calls WHERE key = :key;

-- name: keep_call
-- A call's key and, once it is done, its answer.
INSERT INTO calls (key, tenant, at, receipt, request, answer) VALUES (:key, :tenant, :at, :receipt, :request, :answer)
ON CONFLICT (key) DO UPDATE SET answer = excluded.answer WHERE calls.request IS NOT NULL;

-- name: drop_old_calls
-- Keys that nobody uses again.
DELETE FROM calls WHERE at < :before;

-- name: silence_calls
-- What calls of a tenant were asked and answered may tell of what is erased.
UPDATE calls SET request = NULL, answer = NULL WHERE tenant = :tenant AND request IS NOT NULL;

-- name: receipts_named
-- Several receipts.
SELECT receipts.* FROM json_each(:ids) AS wanted CROSS JOIN receipts ON receipts.id = wanted.value ORDER BY at, id;

-- name: journal_of_receipt
-- What a receipt did, in order.
SELECT * FROM journal WHERE tenant = :tenant AND seq BETWEEN :first AND :last ORDER BY seq;

-- name: journal_head
-- The last row of a tenant's chain.
SELECT seq, hash, at FROM journal WHERE tenant = :tenant ORDER BY seq DESC LIMIT 1;

-- name: add_journal
-- One change.
INSERT INTO journal (tenant, seq, receipt, at, actor, action, wall, num, id, revision, payload, hash)
VALUES (:tenant, :seq, :receipt, :at, :actor, :action, :wall, :num, :id, :revision, :payload, :hash);

-- name: journal_from
-- A tenant's chain from a place on.
SELECT * FROM journal WHERE tenant = :tenant AND seq > :seq ORDER BY seq LIMIT :limit;

-- name: receipt_behind
-- The next call that changed something behind these walls, from a place of the chain on.
SELECT receipts.* FROM journal CROSS JOIN receipts ON receipts.id = journal.receipt
WHERE journal.tenant = :tenant AND journal.seq > :seq AND +journal.wall IN (SELECT value FROM json_each(:walls))
ORDER BY journal.seq LIMIT 1;

-- name: receipt_before
-- The last call that changed something behind these walls before a place of the chain.
SELECT receipts.* FROM journal CROSS JOIN receipts ON receipts.id = journal.receipt
WHERE journal.tenant = :tenant AND journal.seq < :seq AND +journal.wall IN (SELECT value FROM json_each(:walls))
ORDER BY journal.seq DESC LIMIT 1;

-- name: journal_size
-- Rows of the chains that are about these walls.
SELECT count(*) AS size FROM journal WHERE wall IN (SELECT value FROM json_each(:walls));

-- name: changed_between
-- Revisions that begin, end or are in force between two recorded times and whose record changed between them.
SELECT * FROM records WHERE wall = :wall AND num IS NOT NULL AND erased_by IS NULL
AND ((recorded_at > :since AND recorded_at <= :until) OR (retired_at > :since AND retired_at <= :until))
ORDER BY num, revision;

-- name: counts
-- Records of some walls by kind and state, as seen at an instant.
SELECT kind, state, count(*) AS number, min(time) AS earliest, max(time) AS latest FROM (
    SELECT kind, time, CASE
        WHEN erased_by IS NOT NULL THEN 'erased'
        WHEN retired_at IS NOT NULL THEN 'retired'
        WHEN quarantined THEN 'quarantined'
        WHEN kind = 'event' AND superseded_by IS NOT NULL THEN 'superseded'
        WHEN kind <> 'event' AND valid_to <= :now AND superseded_by IS NOT NULL THEN 'superseded'
        WHEN kind <> 'event' AND valid_to <= :now THEN 'expired'
        WHEN expires_at <= :now THEN 'expired'
        WHEN kind = 'forget' OR (wall, id) IN (
            SELECT wall, target_id FROM links WHERE links.wall IN (SELECT value FROM json_each(:walls))
            AND role = 'fades' AND links.retired_at IS NULL AND weight <= 0
        ) THEN 'faded'
        ELSE 'current' END AS state
    FROM records WHERE wall IN (SELECT value FROM json_each(:walls)) AND num IS NOT NULL
    AND (:session IS NULL OR session IS NULL OR session = :session)
    AND (:agent IS NULL OR agent IS NULL OR agent = :agent)
    AND revision = (SELECT max(revision) FROM records AS other WHERE other.id = records.id)
) GROUP BY kind, state;

-- name: message_from
-- The revisions of a document and those that follow it in its wall.
SELECT * FROM records WHERE wall = :wall AND num >= :first AND num < :first + :most ORDER BY num, revision;

-- name: tenants
-- Every tenant with a chain.
SELECT DISTINCT tenant FROM walls ORDER BY tenant;

-- name: add_pending
-- Something has to be derived from this document, or derived anew.
INSERT OR IGNORE INTO pending (wall, num) VALUES (:wall, :num);

-- name: pending_in
-- What has still to be derived in a wall, in the order of its documents.
SELECT num FROM pending WHERE wall = :wall AND num >= :first ORDER BY num LIMIT :most;

-- name: drop_pending
-- It has been derived.
DELETE FROM pending WHERE wall = :wall AND num IN (SELECT value FROM json_each(:nums));

-- name: all_pending
-- Everything in a wall has to be derived anew.
INSERT OR IGNORE INTO pending (wall, num)
SELECT DISTINCT wall, num FROM records WHERE wall = :wall AND kind = 'episode' AND num IS NOT NULL AND erased_by IS NULL;

-- name: requests_to_forget
-- What a wall was asked to forget, whatever became of it.
SELECT DISTINCT id FROM records WHERE wall = :wall AND kind = 'forget' ORDER BY id;

-- name: derived_held
-- What is derived in a wall and held, but for requests to forget.
SELECT * FROM records WHERE wall = :wall AND num IS NOT NULL AND derivation IS NOT NULL AND retired_at IS NULL
AND kind <> 'forget' ORDER BY num;

-- name: episodes_like
-- The episodes of a wall that are held and have these letters.
SELECT * FROM records WHERE wall = :wall AND num IS NOT NULL AND kind = 'episode' AND retired_at IS NULL
AND superseded_by IS NULL AND text LIKE :pattern ORDER BY num;

-- name: files_like
-- The passages of files in a wall that are held and have these letters.
SELECT * FROM records WHERE wall = :wall AND num IS NOT NULL AND kind = 'file' AND role = 'document'
AND retired_at IS NULL AND superseded_by IS NULL AND text LIKE :pattern ORDER BY num;

-- name: documents_numbered
-- The latest revisions of these documents.
SELECT records.* FROM json_each(:nums) AS wanted CROSS JOIN records ON wall = :wall AND num = wanted.value
WHERE num IS NOT NULL ORDER BY num, revision;

-- name: close_link
-- The memory no longer holds this edge.
UPDATE links SET retired_at = :at, closed_by = :receipt WHERE row = :row;

-- name: answers_about
-- A model's answers that rest on some of these records, the latest first.
SELECT DISTINCT answers.key, model, asked, text, at FROM json_each(:ids) AS wanted
CROSS JOIN answer_evidence ON answer_evidence.id = wanted.value AND answer_evidence.wall = :wall
CROSS JOIN answers ON answers.wall = answer_evidence.wall AND answers.key = answer_evidence.key
ORDER BY at DESC, answers.key;

-- name: answer
-- A model's answer.
SELECT asked, text FROM answers WHERE wall = :wall AND key = :key;

-- name: add_answer
-- Keep a model's answer.
INSERT OR REPLACE INTO answers (wall, key, model, asked, text, at) VALUES (:wall, :key, :model, :asked, :text, :at);

-- name: add_answer_evidence
-- What an answer rests on.
INSERT OR IGNORE INTO answer_evidence (id, wall, key) VALUES (:id, :wall, :key);

-- name: drop_answers
-- A model's answers that rest on erased records go with them.
DELETE FROM answers WHERE (wall, key) IN (
    SELECT wall, key FROM answer_evidence WHERE id IN (SELECT value FROM json_each(:ids))
);

-- name: drop_answer_evidence
-- And so does what they rested on.
DELETE FROM answer_evidence WHERE id IN (SELECT value FROM json_each(:ids));

-- name: spent
-- What models have cost on a day, of all users and of one.
SELECT tenant = :tenant AND user = :user AS own, sum(calls) AS calls, sum(tokens_in) AS tokens_in,
    sum(tokens_out) AS tokens_out, sum(money) AS money
FROM spending WHERE day = :day GROUP BY own;

-- name: spending_since
-- What models have cost some users, by day.
SELECT day, sum(calls) AS calls, sum(tokens_in) AS tokens_in, sum(tokens_out) AS tokens_out, sum(money) AS money
FROM spending WHERE tenant = :tenant AND day >= :since AND user IN (SELECT value FROM json_each(:users))
GROUP BY day ORDER BY day DESC;

-- name: add_spending
-- Count what a model has cost.
INSERT INTO spending (day, tenant, user, calls, tokens_in, tokens_out, money)
VALUES (:day, :tenant, :user, :calls, :tokens_in, :tokens_out, :money)
ON CONFLICT (day, tenant, user) DO UPDATE SET calls = calls + excluded.calls,
    tokens_in = tokens_in + excluded.tokens_in, tokens_out = tokens_out + excluded.tokens_out,
    money = money + excluded.money;
-- name: watermark
-- How far a job of upkeep has come.
SELECT seq FROM watermarks WHERE tenant = :tenant AND job = :job;

-- name: set_watermark
-- A job of upkeep has come so far.
INSERT INTO watermarks (tenant, job, seq) VALUES (:tenant, :job, :seq)
ON CONFLICT (tenant, job) DO UPDATE SET seq = excluded.seq;

-- name: last_link
-- The edge that was drawn last.
SELECT coalesce(max(row), 0) AS row FROM links;

-- name: decays_in
-- When forgetting looks again at each part of a wall.
SELECT part, policy, due, warm, cold FROM decays WHERE wall = :wall ORDER BY part;

-- name: set_decay
-- Forgetting has looked at a part of a wall.
INSERT INTO decays (wall, part, policy, due, warm, cold) VALUES (:wall, :part, :policy, :due, :warm, :cold)
ON CONFLICT (wall, part) DO UPDATE
SET policy = excluded.policy, due = excluded.due, warm = excluded.warm, cold = excluded.cold;

-- name: decays_due_by_journal
-- What has changed since a place in the journal is to be looked at again, what it rests on or speaks of, and what an
-- undo has taken back. What a policy did itself changes nothing for the record, only for what it rests on.
UPDATE decays SET due = 0 WHERE (wall, part) IN (
    SELECT records.wall, records.num / :many FROM journal CROSS JOIN records ON records.id = journal.id
    WHERE journal.tenant = :tenant AND journal.seq > :seq AND journal.action NOT IN ('faded', 'regained')
    AND records.num IS NOT NULL
    UNION
    SELECT records.wall, records.num / :many FROM journal
    CROSS JOIN links ON links.source_id = journal.id AND links.role = 'derived_from'
    CROSS JOIN records ON records.id = links.target_id
    WHERE journal.tenant = :tenant AND journal.seq > :seq AND records.num IS NOT NULL
    UNION
    SELECT records.wall, records.num / :many FROM journal
    CROSS JOIN receipts AS undoing ON undoing.id = journal.receipt AND undoing.undoes IS NOT NULL
    CROSS JOIN receipts AS undone ON undone.id = undoing.undoes
    CROSS JOIN journal AS step ON step.tenant = journal.tenant AND step.seq BETWEEN undone.first_seq AND undone.last_seq
    CROSS JOIN records ON records.id = step.id
    WHERE journal.tenant = :tenant AND journal.seq > :seq AND journal.action = 'act' AND records.num IS NOT NULL
);

-- name: decays_due_by_links
-- What has come to rest on more since an edge was drawn is to be looked at again.
UPDATE decays SET due = 0 WHERE (wall, part) IN (
    SELECT records.wall, records.num / :many FROM links CROSS JOIN records ON records.id = links.source_id
    WHERE links.row > :row AND links.role = 'derived_from' AND records.num IS NOT NULL
);

-- name: decays_due_under
-- What these records rest on, or speak of, is to be looked at again.
UPDATE decays SET due = 0 WHERE (wall, part) IN (
    SELECT records.wall, records.num / :many FROM links CROSS JOIN records ON records.id = links.target_id
    WHERE links.source_id IN (SELECT value FROM json_each(:ids)) AND links.role = 'derived_from'
    AND records.num IS NOT NULL
);

-- name: decaying
-- What a policy knows of the documents that a wall holds, from a number on: one row each. The bytes of their texts only
-- where they are counted.
SELECT id, revision, wall, num, kind, key, pinned, derivation, superseded_by, time, valid_from,
    CASE WHEN :sized THEN length(CAST(text AS BLOB)) ELSE 0 END AS bytes
FROM records WHERE wall = :wall AND num >= :first AND num < :until
AND retired_at IS NULL AND erased_by IS NULL AND quarantined = 0 ORDER BY num;

-- name: decaying_said
-- When these documents were said again, or changed by hand: the times of what they rest on.
SELECT held.num, coalesce(links.time, (SELECT time FROM records WHERE records.id = links.target_id LIMIT 1)) AS at
FROM records AS held CROSS JOIN links ON links.source_id = held.id AND links.role = 'derived_from'
WHERE held.wall = :wall AND held.num >= :first AND held.num < :until AND held.retired_at IS NULL
AND held.kind <> 'episode' AND links.retired_at IS NULL;

-- name: decaying_shown
-- The acts of feedback on these documents: whether each was used or wrong, and how well it went.
SELECT held.num, acts.time AS at, json_extract(acts.data, '$.arguments.outcome') AS outcome,
    EXISTS (SELECT 1 FROM json_each(acts.data, '$.arguments.used') AS one WHERE one.value = held.id) AS used,
    EXISTS (SELECT 1 FROM json_each(acts.data, '$.arguments.wrong') AS one WHERE one.value = held.id) AS wrong
FROM records AS held CROSS JOIN links ON links.target_id = held.id AND links.role = 'derived_from'
CROSS JOIN records AS acts ON acts.id = links.source_id
WHERE held.wall = :wall AND held.num >= :first AND held.num < :until AND held.retired_at IS NULL
AND links.retired_at IS NULL AND acts.kind = 'act' AND acts.retired_at IS NULL;

-- name: decaying_cited
-- Those of these documents on which a current record rests that is not cold itself; what is made of many does not count.
SELECT DISTINCT held.num FROM records AS held
CROSS JOIN links ON links.target_id = held.id AND links.role = 'derived_from'
CROSS JOIN records AS citing ON citing.id = links.source_id
WHERE held.wall = :wall AND held.num >= :first AND held.num < :until AND held.retired_at IS NULL
AND links.retired_at IS NULL AND citing.kind NOT IN ('act', 'entity') AND citing.retired_at IS NULL
AND coalesce(citing.derivation, '') NOT LIKE 'views/%' AND citing.superseded_by IS NULL AND citing.quarantined = 0 AND NOT EXISTS (
    SELECT 1 FROM links AS fading WHERE fading.source_id = citing.id AND fading.target_id = citing.id
    AND fading.role = 'fades' AND fading.retired_at IS NULL AND fading.weight = 0
);

-- name: decayed
-- The steps that these documents have faded by so far; `opening` and `closing` are the receipts, where by an undo.
SELECT held.num, links.row, links.weight, links.recorded_at, links.retired_at,
    opening.id AS opening, closing.id AS closing
FROM records AS held CROSS JOIN links ON links.source_id = held.id AND links.role = 'fades'
LEFT JOIN receipts AS opening ON opening.id = links.opened_by AND opening.verb = 'undo'
LEFT JOIN receipts AS closing ON closing.id = links.closed_by AND closing.verb = 'undo'
WHERE held.wall = :wall AND held.num >= :first AND held.num < :until AND held.retired_at IS NULL
AND links.target_id = held.id ORDER BY links.row;
-- name: names_at
-- What these episodes call whom.
SELECT * FROM names WHERE wall = :wall AND num IN (SELECT value FROM json_each(:nums)) ORDER BY num, nth;

-- name: add_name
-- An episode calls somebody so.
INSERT OR REPLACE INTO names (wall, name, other, num, how, nth, spelling)
VALUES (:wall, :name, :other, :num, :how, :nth, :spelling);

-- name: drop_name
-- It no longer does.
DELETE FROM names WHERE wall = :wall AND name = :name AND other = :other AND num = :num;

-- name: names_others
-- Whom else a name is said to mean.
SELECT DISTINCT other, how FROM names WHERE wall = :wall AND name = :name AND other > '';

-- name: names_hows
-- How a wall speaks under a name, and how it is spelt.
SELECT DISTINCT how, spelling FROM names WHERE wall = :wall AND name = :name AND other = '';

-- name: names_spelt
-- How a name is spelt where it is said to be another's.
SELECT DISTINCT spelling FROM names WHERE wall = :wall AND name = :name AND other > '';

-- name: names_meaning
-- What else somebody is said to be called: from one name to the next in the index, however often each is said.
WITH RECURSIVE told (name) AS (
    SELECT min(name) FROM names WHERE wall = :wall AND other = :other AND other <> ''
    UNION ALL
    SELECT (SELECT min(name) FROM names WHERE wall = :wall AND other = :other AND other <> '' AND name > told.name)
    FROM told WHERE told.name IS NOT NULL
), hows (how) AS (VALUES ('about'), ('self'), ('named'), ('told'), ('own'), ('near'), ('speaks'), ('rival'))
SELECT told.name, hows.how FROM told CROSS JOIN hows WHERE told.name IS NOT NULL AND EXISTS (
    SELECT 1 FROM names WHERE wall = :wall AND other = :other AND other <> '' AND name = told.name AND how = hows.how
) ORDER BY told.name, hows.how;

-- name: names_between
-- The names in use from one up to another.
SELECT DISTINCT name FROM names WHERE wall = :wall AND name >= :first AND name < :last AND other = '';

-- name: name_first
-- The first episode that speaks so.
SELECT num, nth FROM names WHERE wall = :wall AND name = :name AND other = :other ORDER BY num LIMIT 1;

-- name: names_nums
-- The episodes that state something of a name.
SELECT num FROM names WHERE wall = :wall AND name = :name AND other = '' AND how IN ('about', 'self');

-- name: name_uncovered
-- An episode that states something of a name, and nothing in it tells that the name means this other one.
SELECT num FROM names AS one WHERE wall = :wall AND name = :name AND other = '' AND how = 'about' AND NOT EXISTS (
    SELECT 1 FROM names AS two WHERE two.wall = one.wall AND two.name = one.name AND two.other = :other
    AND two.num = one.num
) LIMIT 1;

-- name: called
-- Under which name the statements about these names are arranged.
SELECT called.* FROM json_each(:names) AS wanted CROSS JOIN called ON wall = :wall AND name = wanted.value;

-- name: called_about
-- The names of one that is meant.
SELECT name FROM called WHERE wall = :wall AND about = :about ORDER BY name;

-- name: called_entity
-- Whose record this is.
SELECT about FROM called WHERE entity = :id LIMIT 1;

-- name: keep_called
-- The statements about a name are arranged under this one.
INSERT OR REPLACE INTO called (wall, name, about, spelling, entity) VALUES (:wall, :name, :about, :spelling, :entity);

-- name: drop_called
-- This name is not in use any more.
DELETE FROM called WHERE wall = :wall AND name = :name;

-- name: unsettle_called
-- Whom these names mean, and who is known by them, has to be looked at again.
DELETE FROM called WHERE wall = :wall
AND (name IN (SELECT value FROM json_each(:names)) OR about IN (SELECT value FROM json_each(:names)));

-- name: drop_names_at
-- These episodes are gone, and what they called whom with them.
DELETE FROM names WHERE wall = :wall AND num IN (SELECT value FROM json_each(:nums));

-- name: drop_called_entities
-- The records of these are gone: their names have to be looked at again.
DELETE FROM called WHERE entity IN (SELECT value FROM json_each(:ids));

-- name: pending_names
-- An episode of each of these names is to be derived anew, which looks at the name again.
INSERT OR IGNORE INTO pending (wall, num)
SELECT wall, min(num) FROM names WHERE wall = :wall AND name IN (SELECT value FROM json_each(:names)) GROUP BY name;

-- name: names_only_at
-- Which of these names no other episode has.
SELECT DISTINCT name FROM names AS one WHERE wall = :wall AND name IN (SELECT value FROM json_each(:names))
AND NOT EXISTS (
    SELECT 1 FROM names AS two WHERE two.wall = one.wall AND two.name = one.name
    AND two.num NOT IN (SELECT value FROM json_each(:nums))
);
-- name: journal_told
-- A tenant's chain from a place on, with the verbs of the calls that wrote it.
SELECT journal.seq, journal.id, journal.revision, journal.action, receipts.verb FROM journal
LEFT JOIN receipts ON receipts.id = journal.receipt
WHERE journal.tenant = :tenant AND journal.seq > :seq ORDER BY journal.seq LIMIT :most;

-- name: revisions_changed
-- What these revisions of records say, and those before them.
SELECT DISTINCT records.* FROM json_each(:changes) AS wanted CROSS JOIN records
ON records.id = json_extract(wanted.value, '$[0]')
AND records.revision BETWEEN json_extract(wanted.value, '$[1]') - 1 AND json_extract(wanted.value, '$[1]');

-- name: add_stale
-- A part of a wall has to be redone by a job.
INSERT OR IGNORE INTO stale (wall, job, part) VALUES (:wall, :job, :part);

-- name: stale_in
-- What a job has to redo in a wall.
SELECT part FROM stale WHERE wall = :wall AND job = :job ORDER BY part;

-- name: stale_counts
-- How much a job has to redo in each wall, without the parts that begin with `but`; all of it where that is empty.
SELECT wall, count(*) AS parts FROM stale
WHERE job = :job AND (:but = '' OR substr(part, 1, length(:but)) <> :but) GROUP BY wall;

-- name: drop_stale
-- It has been redone.
DELETE FROM stale WHERE wall = :wall AND job = :job AND part IN (SELECT value FROM json_each(:parts));

-- name: facts_about
-- The statements that a wall holds about a subject ('' for none), those that others have taken over from among them; the
-- latest first.
SELECT * FROM records
WHERE wall = :wall AND lower(coalesce(subject, '')) = :subject AND retired_at IS NULL
AND kind IN ('fact', 'preference', 'relationship', 'goal', 'instruction', 'decision')
ORDER BY time DESC, id LIMIT :most;

-- name: told_ahead
-- The statements of a wall about what was to come when they were made; the latest dates first.
SELECT * FROM records WHERE wall = :wall AND retired_at IS NULL AND kind IN ('goal', 'event')
AND (kind = 'goal' OR valid_from > time) ORDER BY valid_from DESC, id LIMIT :most;

-- name: last_episodes
-- The episodes that came last to a wall, as they are now, the last first.
SELECT * FROM records WHERE wall = :wall AND num IS NOT NULL AND kind = 'episode' AND retired_at IS NULL
AND superseded_by IS NULL AND quarantined = 0 ORDER BY num DESC LIMIT :most;

-- name: said_in
-- The episodes of a wall's session (of no session) from a time up to another, as they are now.
SELECT * FROM records WHERE wall = :wall AND session IS :session AND time >= :since AND time < :until
AND kind = 'episode' AND retired_at IS NULL AND superseded_by IS NULL AND quarantined = 0 ORDER BY time, num;

-- name: views_from
-- The current records of a wall whose keys lie between two.
SELECT * FROM records WHERE wall = :wall AND key >= :first AND key < :last
AND key IS NOT NULL AND retired_at IS NULL AND superseded_by IS NULL AND quarantined = 0 ORDER BY key;

-- name: views_in
-- The keys of the views of a wall.
SELECT DISTINCT key FROM records WHERE wall = :wall AND num IS NOT NULL AND key IS NOT NULL AND derivation = :derivation;

-- name: placing
-- How far the turns of a wall have been placed in topics.
SELECT space, next FROM placing WHERE wall = :wall;

-- name: set_placing
-- They have been placed so far.
INSERT INTO placing (wall, space, next) VALUES (:wall, :space, :next)
ON CONFLICT (wall) DO UPDATE SET space = excluded.space, next = excluded.next;

-- name: placed_leaders
-- The turns that lead a cluster, in their order.
SELECT num, vector FROM placed WHERE wall = :wall AND vector IS NOT NULL ORDER BY num;

-- name: placed_at
-- Where a turn has been placed.
SELECT leader FROM placed WHERE wall = :wall AND num = :num;

-- name: placed_from
-- Where the turns from a number on have been placed.
SELECT DISTINCT leader FROM placed WHERE wall = :wall AND num >= :first;

-- name: placed_with
-- The turns of a cluster that came last.
SELECT num FROM placed WHERE wall = :wall AND leader = :leader ORDER BY num DESC LIMIT :most;

-- name: add_placed
-- A turn has been placed.
INSERT OR REPLACE INTO placed (wall, num, leader, vector) VALUES (:wall, :num, :leader, :vector);

-- name: drop_placed
-- A turn is placed no longer.
DELETE FROM placed WHERE wall = :wall AND num = :num;

-- name: drop_placed_from
-- The turns from a number on are placed no longer.
DELETE FROM placed WHERE wall = :wall AND num >= :first;
