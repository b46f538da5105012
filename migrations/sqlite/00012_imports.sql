-- How many rows of its file an import has refused.

-- +goose Up
ALTER TABLE jobs ADD COLUMN refused INTEGER NOT NULL DEFAULT 0;

-- +goose Down
ALTER TABLE jobs DROP COLUMN refused;
