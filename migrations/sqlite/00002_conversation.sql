-- What is said about an item: public messages, which the visitor sees, and notes.

-- +goose Up
CREATE TABLE messages (
    id              TEXT NOT NULL PRIMARY KEY,
    organization_id TEXT NOT NULL,
    project_id      TEXT NOT NULL,
    feedback_id     TEXT NOT NULL,
    user_id         TEXT NOT NULL, -- '' is the visitor
    author_name     TEXT NOT NULL, -- as it was then
    internal        INTEGER NOT NULL CHECK (internal IN (0, 1)),
    fingerprint     BLOB NOT NULL, -- of what was sent at first
    body            TEXT NOT NULL,
    rev             INTEGER NOT NULL DEFAULT 1,
    created_at      INTEGER NOT NULL,
    updated_at      INTEGER NOT NULL,
    deleted_at      INTEGER -- the row stays so that its event has something to speak of
);
CREATE INDEX messages_by_feedback ON messages (feedback_id, created_at, id);
CREATE INDEX messages_by_project ON messages (project_id); -- for its removal

-- A visitor's conversations are found by their session, those that nobody has
-- touched too.
DROP INDEX feedback_by_session;
CREATE INDEX feedback_by_session ON feedback (session_id) WHERE erased_at IS NULL;

-- When the visitor last said something, and up to when each member has read: what
-- is younger is unread to them.
ALTER TABLE feedback ADD COLUMN visitor_at INTEGER NOT NULL DEFAULT 0;
UPDATE feedback SET visitor_at = created_at;
CREATE TABLE reads (
    user_id     TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    feedback_id TEXT NOT NULL,
    at          INTEGER NOT NULL,
    PRIMARY KEY (user_id, feedback_id)
) WITHOUT ROWID;

-- When staff first answered, and when the item was last resolved or closed.
ALTER TABLE feedback ADD COLUMN first_reply_at INTEGER;
ALTER TABLE feedback ADD COLUMN resolved_at INTEGER;

-- +goose Down
ALTER TABLE feedback DROP COLUMN resolved_at;
ALTER TABLE feedback DROP COLUMN first_reply_at;
DROP TABLE reads;
ALTER TABLE feedback DROP COLUMN visitor_at;
DROP INDEX feedback_by_session;
CREATE INDEX feedback_by_session ON feedback (session_id) WHERE erased_at IS NULL AND rev > 1;
DROP TABLE messages;
