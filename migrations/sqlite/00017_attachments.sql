-- Visitors' files. The content is beside the database, under the attachment's id.

-- +goose Up
CREATE TABLE attachments (
    id              TEXT NOT NULL PRIMARY KEY,
    organization_id TEXT NOT NULL,
    project_id      TEXT NOT NULL,
    resume_hash     BLOB NOT NULL DEFAULT x'', -- whose alone it is to name; empty for whoever has its id
    feedback_id     TEXT NOT NULL DEFAULT '',  -- '' until a submission names it
    position        INTEGER NOT NULL DEFAULT 0,
    name            TEXT NOT NULL,
    content_type    TEXT NOT NULL,
    size            INTEGER NOT NULL,
    width           INTEGER NOT NULL DEFAULT 0, -- of images, in pixels
    height          INTEGER NOT NULL DEFAULT 0,
    created_at      INTEGER NOT NULL
);
CREATE INDEX attachments_by_feedback ON attachments (feedback_id, position) WHERE feedback_id <> '';
CREATE INDEX attachments_by_time ON attachments (created_at) WHERE feedback_id = '';
CREATE INDEX attachments_by_project ON attachments (project_id);

-- Content that belongs to nothing any more.
CREATE TABLE attachment_removals (
    id TEXT NOT NULL PRIMARY KEY
) WITHOUT ROWID;

ALTER TABLE feedback ADD COLUMN attachments INTEGER NOT NULL DEFAULT 0;
CREATE INDEX feedback_by_attachments ON feedback (project_id, quarantined, created_at) WHERE erased_at IS NULL AND attachments > 0;

-- +goose Down
DROP INDEX feedback_by_attachments;
ALTER TABLE feedback DROP COLUMN attachments;
DROP TABLE attachment_removals;
DROP TABLE attachments;
