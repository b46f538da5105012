-- What charts read: how many of a project's items have a value, by the hour or the
-- day (UTC) in which they came. A projection adds new items in the order of their
-- numbers; what changes in an item that it has counted is counted with the change.

-- +goose Up
CREATE TABLE insights (
    project_id TEXT NOT NULL,
    dimension  TEXT NOT NULL,
    at         INTEGER NOT NULL, -- when the hour or the day begins, in milliseconds
    value      TEXT NOT NULL,
    n          INTEGER NOT NULL,
    PRIMARY KEY (project_id, dimension, at, value)
) WITHOUT ROWID;
INSERT INTO meta (name, value) VALUES ('insights_through', '0');

-- +goose Down
DELETE FROM meta WHERE name = 'insights_through';
DROP TABLE insights;
