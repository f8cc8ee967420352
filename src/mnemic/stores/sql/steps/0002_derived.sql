-- What has still to be derived: documents of episodes, by their number in the wall. An entry goes in the transaction that
-- writes what was derived from it, so whoever dies in between leaves it to the next.
ALTER TABLE walls ADD COLUMN pending INTEGER NOT NULL DEFAULT 0;  -- how many there are

CREATE TABLE pending (
    wall INTEGER NOT NULL REFERENCES walls (wall),
    num INTEGER NOT NULL,
    PRIMARY KEY (wall, num)
) WITHOUT ROWID;

CREATE TRIGGER pending_added AFTER INSERT ON pending BEGIN
    UPDATE walls SET pending = pending + 1 WHERE wall = new.wall;
END;

CREATE TRIGGER pending_gone AFTER DELETE ON pending BEGIN
    UPDATE walls SET pending = pending - 1 WHERE wall = old.wall;
END;

INSERT INTO pending SELECT DISTINCT wall, num FROM records
WHERE kind = 'episode' AND num IS NOT NULL AND erased_by IS NULL;

-- A derived record that was erased and is derived again from what is left goes on with its next revision.
DROP INDEX records_fingerprint;
CREATE INDEX records_fingerprint ON records (wall, fingerprint) WHERE fingerprint IS NOT NULL;
