-- The course of the days in one row a quarter of an hour instead of one a value and
-- hour: a year's chart reads an eighth of the rows, and days are right in zones that
-- are not whole hours off. Months stand beside days for the rest. All of it is
-- counted anew.

-- +goose Up
CREATE TABLE volumes (
    project_id  TEXT NOT NULL,
    at          INTEGER NOT NULL, -- when the quarter begins, in milliseconds
    total       INTEGER NOT NULL,
    bug         INTEGER NOT NULL,
    idea        INTEGER NOT NULL,
    question    INTEGER NOT NULL,
    praise      INTEGER NOT NULL,
    other       INTEGER NOT NULL,
    new         INTEGER NOT NULL,
    open        INTEGER NOT NULL,
    in_progress INTEGER NOT NULL,
    resolved    INTEGER NOT NULL,
    closed      INTEGER NOT NULL,
    PRIMARY KEY (project_id, at)
) WITHOUT ROWID;
DELETE FROM insights;
UPDATE meta SET value = '0' WHERE name = 'insights_through';

-- What was imported is a session of its own, so that its visitor can answer.
UPDATE feedback SET session_id = id WHERE session_id = '' AND erased_at IS NULL;

-- +goose Down
DROP TABLE volumes;
DELETE FROM insights;
UPDATE meta SET value = '0' WHERE name = 'insights_through';
