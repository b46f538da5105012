-- How long a project keeps feedback, and what finds all of one visitor's.

-- +goose Up
ALTER TABLE projects ADD COLUMN retention_days INTEGER NOT NULL DEFAULT 0; -- 0: for good
CREATE INDEX feedback_by_email ON feedback (project_id, email) WHERE erased_at IS NULL AND email <> '';

-- +goose Down
DROP INDEX feedback_by_email;
ALTER TABLE projects DROP COLUMN retention_days;
