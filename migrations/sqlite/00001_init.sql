-- Times are Unix milliseconds, UTC. Ids are UUIDv7 as text. JSON is text.

-- +goose Up
CREATE TABLE meta (
    name  TEXT NOT NULL PRIMARY KEY,
    value TEXT NOT NULL
) WITHOUT ROWID;

CREATE TABLE organizations (
    id         TEXT NOT NULL PRIMARY KEY,
    name       TEXT NOT NULL,
    created_at INTEGER NOT NULL
);

CREATE TABLE users (
    id            TEXT NOT NULL PRIMARY KEY,
    email         TEXT NOT NULL UNIQUE, -- lower case
    name          TEXT NOT NULL,
    password_hash TEXT NOT NULL,
    created_at    INTEGER NOT NULL
);

CREATE TABLE members (
    organization_id TEXT NOT NULL REFERENCES organizations (id) ON DELETE CASCADE,
    user_id         TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    role            TEXT NOT NULL CHECK (role IN ('owner', 'admin', 'agent', 'viewer')),
    created_at      INTEGER NOT NULL,
    PRIMARY KEY (organization_id, user_id)
) WITHOUT ROWID;
CREATE INDEX members_by_user ON members (user_id);

-- A sign-in and the family of refresh tokens that grew from it.
CREATE TABLE sessions (
    id              TEXT NOT NULL PRIMARY KEY,
    user_id         TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    organization_id TEXT NOT NULL REFERENCES organizations (id) ON DELETE CASCADE,
    created_at      INTEGER NOT NULL,
    expires_at      INTEGER NOT NULL,
    revoked_at      INTEGER
);
CREATE INDEX sessions_by_user ON sessions (user_id);
CREATE INDEX sessions_by_end ON sessions (expires_at);

CREATE TABLE refresh_tokens (
    hash       BLOB NOT NULL PRIMARY KEY,
    session_id TEXT NOT NULL REFERENCES sessions (id) ON DELETE CASCADE,
    created_at INTEGER NOT NULL,
    rotated_at INTEGER -- when its successor was given out
) WITHOUT ROWID;
CREATE INDEX refresh_tokens_by_session ON refresh_tokens (session_id);

-- Whatever may be used once and not after a while: setup links, socket tickets.
CREATE TABLE one_time_tokens (
    hash       BLOB NOT NULL PRIMARY KEY,
    purpose    TEXT NOT NULL,
    payload    TEXT NOT NULL,
    expires_at INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX one_time_tokens_by_end ON one_time_tokens (expires_at);

CREATE TABLE projects (
    id              TEXT NOT NULL PRIMARY KEY,
    organization_id TEXT NOT NULL REFERENCES organizations (id) ON DELETE CASCADE,
    name            TEXT NOT NULL,
    key             TEXT NOT NULL UNIQUE,
    key_disabled    INTEGER NOT NULL DEFAULT 0,
    allowed_origins TEXT NOT NULL,
    settings        TEXT NOT NULL,
    created_at      INTEGER NOT NULL,
    updated_at      INTEGER NOT NULL
);
CREATE INDEX projects_by_organization ON projects (organization_id, created_at);

-- Deleted projects of which there still are rows. These are removed some at a
-- time: the tables below are too large for a cascade.
CREATE TABLE removals (
    project_id TEXT NOT NULL PRIMARY KEY,
    created_at INTEGER NOT NULL
) WITHOUT ROWID;

CREATE TABLE visitor_sessions (
    project_id TEXT NOT NULL,
    resume_hash BLOB NOT NULL,
    id         TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    PRIMARY KEY (project_id, resume_hash)
) WITHOUT ROWID;

CREATE TABLE feedback (
    n                  INTEGER PRIMARY KEY, -- ours alone: breaks ties in lists, keys the search index
    id                 TEXT NOT NULL UNIQUE,
    organization_id    TEXT NOT NULL,
    project_id         TEXT NOT NULL, -- stays when the project is deleted
    session_id         TEXT NOT NULL,
    seq                INTEGER NOT NULL, -- of its FeedbackReceived
    fingerprint        BLOB NOT NULL,
    message            TEXT NOT NULL,
    page_url           TEXT NOT NULL,
    kind               TEXT NOT NULL DEFAULT '',
    rating             INTEGER NOT NULL DEFAULT 0 CHECK (rating BETWEEN 0 AND 5),
    email              TEXT NOT NULL DEFAULT '',
    name               TEXT NOT NULL DEFAULT '',
    context            TEXT NOT NULL DEFAULT '',
    status             TEXT NOT NULL DEFAULT 'new',
    assignee_id        TEXT NOT NULL DEFAULT '',
    tags               TEXT NOT NULL DEFAULT '[]',
    priority           INTEGER NOT NULL DEFAULT 1,
    rev                INTEGER NOT NULL DEFAULT 1,
    quarantined        INTEGER NOT NULL DEFAULT 0,
    quarantine_reasons TEXT NOT NULL DEFAULT '[]',
    receipt_version    INTEGER NOT NULL DEFAULT 1,
    created_at         INTEGER NOT NULL,
    updated_at         INTEGER NOT NULL,
    erased_at          INTEGER -- the row stays so that its id stays taken
);
-- Lists are read by keyset in the order of one of these. Each costs every
-- submission a write: so filters read along the order of creation, and the other
-- orders have an index only of what differs from a new item.
CREATE INDEX feedback_by_created ON feedback (project_id, quarantined, created_at, n, status, kind) WHERE erased_at IS NULL;
CREATE INDEX feedback_by_updated ON feedback (project_id, quarantined, updated_at, created_at) WHERE erased_at IS NULL AND updated_at <> created_at;
CREATE INDEX feedback_by_priority ON feedback (project_id, quarantined, priority, created_at) WHERE erased_at IS NULL AND priority <> 1;
CREATE INDEX feedback_by_session ON feedback (session_id) WHERE erased_at IS NULL AND rev > 1;
CREATE INDEX feedback_by_rating ON feedback (project_id, quarantined, rating, created_at) WHERE erased_at IS NULL AND rating <> 0;

-- What happened, in order. A project's log ends where its events do, so the last
-- one of a project is never removed. An event is composed from its item when it is read;
-- data holds only what the item no longer tells.
CREATE TABLE events (
    project_id  TEXT NOT NULL,
    seq         INTEGER NOT NULL,
    type        TEXT NOT NULL,
    feedback_id TEXT NOT NULL,
    data        TEXT NOT NULL DEFAULT '',
    at          INTEGER NOT NULL,
    PRIMARY KEY (project_id, seq)
) WITHOUT ROWID;
-- An item's first event is found by its own seq.
CREATE INDEX events_by_feedback ON events (feedback_id) WHERE type <> 'FeedbackReceived';

-- Erased items whose words the search index, a database of its own, still has.
CREATE TABLE search_removals (
    id INTEGER PRIMARY KEY,
    n  INTEGER NOT NULL -- the item's
);

-- +goose Down
DROP TABLE search_removals;
DROP TABLE events;
DROP TABLE feedback;
DROP TABLE visitor_sessions;
DROP TABLE removals;
DROP TABLE projects;
DROP TABLE one_time_tokens;
DROP TABLE refresh_tokens;
DROP TABLE sessions;
DROP TABLE members;
DROP TABLE users;
DROP TABLE organizations;
DROP TABLE meta;
