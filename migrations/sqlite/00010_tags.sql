-- The way from a tag to the items that have it. Items keep their tags as well; both
-- are written in one transaction.

-- +goose Up
CREATE TABLE feedback_tags (
    project_id TEXT NOT NULL,
    tag        TEXT NOT NULL,
    created_at INTEGER NOT NULL, -- the item's
    n          INTEGER NOT NULL, -- the item's
    PRIMARY KEY (project_id, tag, created_at, n)
) WITHOUT ROWID;
INSERT INTO feedback_tags (project_id, tag, created_at, n)
SELECT f.project_id, t.value, f.created_at, f.n FROM feedback AS f, json_each(f.tags) AS t WHERE f.erased_at IS NULL AND f.tags <> '[]';

-- +goose Down
DROP TABLE feedback_tags;
