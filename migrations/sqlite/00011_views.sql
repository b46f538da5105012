-- Lists that are as fast with a million items as with a thousand, and views of them
-- that people keep.

-- +goose Up
-- The order of creation, by status: a status is a range of it, and a list of several
-- is merged from theirs. It costs a submission the one write that it cost before.
DROP INDEX feedback_by_created;
CREATE INDEX feedback_by_created ON feedback (project_id, quarantined, status, created_at, n, kind, assignee_id, priority, erased_at) WHERE erased_at IS NULL;

-- These hold only what differs from a new item, so submissions do not pay for them.
DROP INDEX feedback_by_priority;
CREATE INDEX feedback_by_priority ON feedback (project_id, quarantined, priority, created_at, n, status, erased_at) WHERE erased_at IS NULL AND priority <> 1;
CREATE INDEX feedback_by_assignee ON feedback (project_id, quarantined, assignee_id, created_at, n, status, erased_at) WHERE erased_at IS NULL AND assignee_id <> '';
CREATE INDEX feedback_by_visitor ON feedback (project_id, quarantined, visitor_at, created_at) WHERE erased_at IS NULL AND visitor_at <> created_at;
-- What came in with a status of its own and was not touched since.
CREATE INDEX feedback_by_arrival ON feedback (project_id, quarantined, created_at) WHERE erased_at IS NULL AND status <> 'new' AND updated_at = created_at;
DROP INDEX feedback_by_rating;
CREATE INDEX feedback_by_rating ON feedback (project_id, quarantined, rating, created_at, n, erased_at) WHERE erased_at IS NULL AND rating <> 0;

-- With the one thing by which every list is divided, so that tags are counted without
-- a look at the items.
DROP TABLE feedback_tags;
CREATE TABLE feedback_tags (
    project_id  TEXT NOT NULL,
    quarantined INTEGER NOT NULL, -- as the item
    tag         TEXT NOT NULL,
    created_at  INTEGER NOT NULL, -- the item's
    n           INTEGER NOT NULL, -- the item's
    PRIMARY KEY (project_id, quarantined, tag, created_at, n)
) WITHOUT ROWID;
INSERT INTO feedback_tags (project_id, quarantined, tag, created_at, n)
SELECT f.project_id, f.quarantined, t.value, f.created_at, f.n FROM feedback AS f, json_each(f.tags) AS t WHERE f.erased_at IS NULL AND f.tags <> '[]';

CREATE TABLE views (
    id              TEXT NOT NULL PRIMARY KEY,
    organization_id TEXT NOT NULL,
    project_id      TEXT NOT NULL REFERENCES projects (id) ON DELETE CASCADE,
    user_id         TEXT NOT NULL, -- whose it is
    name            TEXT NOT NULL,
    shared          INTEGER NOT NULL DEFAULT 0,
    query           TEXT NOT NULL, -- JSON: the list's filter, and its order
    created_at      INTEGER NOT NULL,
    updated_at      INTEGER NOT NULL,
    FOREIGN KEY (organization_id, user_id) REFERENCES members (organization_id, user_id) ON DELETE CASCADE
);
CREATE INDEX views_by_project ON views (project_id, user_id);
CREATE INDEX views_by_member ON views (organization_id, user_id);

-- +goose Down
DROP TABLE views;
DROP TABLE feedback_tags;
CREATE TABLE feedback_tags (
    project_id TEXT NOT NULL,
    tag        TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    n          INTEGER NOT NULL,
    PRIMARY KEY (project_id, tag, created_at, n)
) WITHOUT ROWID;
INSERT INTO feedback_tags (project_id, tag, created_at, n)
SELECT f.project_id, t.value, f.created_at, f.n FROM feedback AS f, json_each(f.tags) AS t WHERE f.erased_at IS NULL AND f.tags <> '[]';
DROP INDEX feedback_by_rating;
CREATE INDEX feedback_by_rating ON feedback (project_id, quarantined, rating, created_at) WHERE erased_at IS NULL AND rating <> 0;
DROP INDEX feedback_by_arrival;
DROP INDEX feedback_by_visitor;
DROP INDEX feedback_by_assignee;
DROP INDEX feedback_by_priority;
CREATE INDEX feedback_by_priority ON feedback (project_id, quarantined, priority, created_at) WHERE erased_at IS NULL AND priority <> 1;
DROP INDEX feedback_by_created;
CREATE INDEX feedback_by_created ON feedback (project_id, quarantined, created_at, n, status, kind) WHERE erased_at IS NULL;
