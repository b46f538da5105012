-- Work in the background: what is to be done (goqite's queue, whose schema this
-- is, version 0.4.0) and what people see of it.

-- +goose Up
CREATE TABLE goqite (
    id       TEXT NOT NULL PRIMARY KEY DEFAULT ('m_' || lower(hex(randomblob(16)))),
    created  TEXT NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ')),
    updated  TEXT NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ')),
    queue    TEXT NOT NULL,
    body     BLOB NOT NULL,
    timeout  TEXT NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ')),
    received INTEGER NOT NULL DEFAULT 0,
    priority INTEGER NOT NULL DEFAULT 0
) STRICT;
-- +goose StatementBegin
CREATE TRIGGER goqite_updated_timestamp AFTER UPDATE ON goqite BEGIN
    UPDATE goqite SET updated = strftime('%Y-%m-%dT%H:%M:%fZ') WHERE id = old.id;
END;
-- +goose StatementEnd
CREATE INDEX goqite_queue_priority_created_idx ON goqite (queue, priority DESC, created);

CREATE TABLE jobs (
    id              TEXT NOT NULL PRIMARY KEY,
    organization_id TEXT NOT NULL,
    project_id      TEXT NOT NULL,
    user_id         TEXT NOT NULL,
    kind            TEXT NOT NULL,
    status          TEXT NOT NULL,
    request         TEXT NOT NULL, -- JSON: what exactly is to be done
    checkpoint      TEXT NOT NULL DEFAULT '', -- JSON: where to go on after a restart
    done            INTEGER NOT NULL DEFAULT 0,
    total           INTEGER NOT NULL DEFAULT 0,
    error           TEXT NOT NULL DEFAULT '', -- in words for the person who asked
    cancelling      INTEGER NOT NULL DEFAULT 0,
    withdrawn       INTEGER NOT NULL DEFAULT 0, -- what it made holds something that was erased since
    created_at      INTEGER NOT NULL,
    updated_at      INTEGER NOT NULL,
    finished_at     INTEGER
);
CREATE INDEX jobs_by_organization ON jobs (organization_id, created_at, id);

-- +goose Down
DROP TABLE jobs;
DROP TABLE goqite;
