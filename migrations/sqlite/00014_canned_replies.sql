-- Answers that the staff of a project give again and again.

-- +goose Up
CREATE TABLE canned_replies (
    id              TEXT NOT NULL PRIMARY KEY,
    organization_id TEXT NOT NULL,
    project_id      TEXT NOT NULL REFERENCES projects (id) ON DELETE CASCADE,
    name            TEXT NOT NULL,
    body            TEXT NOT NULL,
    rev             INTEGER NOT NULL DEFAULT 1,
    created_at      INTEGER NOT NULL,
    updated_at      INTEGER NOT NULL
);
CREATE INDEX canned_replies_by_project ON canned_replies (project_id, created_at, id);

-- +goose Down
DROP TABLE canned_replies;
