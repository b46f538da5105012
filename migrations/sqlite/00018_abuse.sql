-- What staff hold back. Of a sender's address there is a keyed hash: it can be
-- compared, and not read.

-- +goose Up
ALTER TABLE feedback ADD COLUMN address_hash TEXT NOT NULL DEFAULT '';
ALTER TABLE search_removals ADD COLUMN again INTEGER NOT NULL DEFAULT 0; -- 1: changed, and to be taken in anew

CREATE TABLE blocks (
    id              TEXT NOT NULL PRIMARY KEY,
    organization_id TEXT NOT NULL,
    project_id      TEXT NOT NULL REFERENCES projects (id) ON DELETE CASCADE,
    kind            TEXT NOT NULL CHECK (kind IN ('address', 'session', 'word')),
    value           TEXT NOT NULL, -- what is compared: a hash of an address, of a session's token, a word in lower case
    label           TEXT NOT NULL, -- what staff read
    note            TEXT NOT NULL,
    created_by      TEXT NOT NULL,
    created_at      INTEGER NOT NULL,
    expires_at      INTEGER NOT NULL, -- 0: never
    UNIQUE (project_id, kind, value)
);

-- +goose Down
DROP TABLE blocks;
DELETE FROM search_removals WHERE again = 1;
ALTER TABLE search_removals DROP COLUMN again;
ALTER TABLE feedback DROP COLUMN address_hash;
