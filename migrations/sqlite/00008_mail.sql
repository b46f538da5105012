-- E-mail: what waits to be sent, what members want to hear of, and who wants no more.

-- +goose Up
-- A mail says whom it is for and what it is about. What it says is composed from
-- that when it is sent, so erasing an item leaves none of its words behind here.
CREATE TABLE mails (
    id              TEXT NOT NULL PRIMARY KEY, -- is in its Message-ID
    kind            TEXT NOT NULL CHECK (kind IN ('reply', 'answer', 'news')),
    organization_id TEXT NOT NULL,
    project_id      TEXT NOT NULL,
    user_id         TEXT NOT NULL DEFAULT '', -- '' where it is for a visitor
    feedback_id     TEXT NOT NULL DEFAULT '', -- '' where it is about several
    recipient       BLOB NOT NULL, -- hash of project and address, or of the member's id: what mails are counted by
    since           INTEGER NOT NULL, -- of news the log's numbers after this one, otherwise messages from this time on
    through         INTEGER NOT NULL DEFAULT 0, -- up to this one; 0 until it is begun
    state           TEXT NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting', 'sending', 'sent', 'failed')),
    due_at          INTEGER NOT NULL, -- while it is being sent: when somebody else may
    attempts        INTEGER NOT NULL DEFAULT 0,
    unreachable     INTEGER NOT NULL DEFAULT 0, -- the last attempt found no mail server
    error           TEXT NOT NULL DEFAULT '',
    created_at      INTEGER NOT NULL,
    ended_at        INTEGER -- sent or given up
);
CREATE INDEX mails_by_due ON mails (due_at) WHERE state IN ('waiting', 'sending');
CREATE INDEX mails_by_feedback ON mails (feedback_id) WHERE feedback_id <> '';
CREATE INDEX mails_by_project ON mails (project_id, ended_at);
CREATE INDEX mails_by_recipient ON mails (recipient, ended_at);

-- Which new feedback a member is mailed about; no row is none.
CREATE TABLE notifications (
    project_id      TEXT NOT NULL REFERENCES projects (id) ON DELETE CASCADE,
    user_id         TEXT NOT NULL,
    organization_id TEXT NOT NULL,
    mode            TEXT NOT NULL CHECK (mode IN ('at_once', 'hourly', 'daily')),
    through         INTEGER NOT NULL, -- the log's number up to which they were told
    next_at         INTEGER NOT NULL, -- the next mail is not before
    pace_at         INTEGER NOT NULL DEFAULT 0, -- when all mails so far would have gone out at an even pace
    PRIMARY KEY (project_id, user_id),
    FOREIGN KEY (organization_id, user_id) REFERENCES members (organization_id, user_id) ON DELETE CASCADE
) WITHOUT ROWID;
CREATE INDEX notifications_by_member ON notifications (organization_id, user_id);
CREATE INDEX notifications_by_time ON notifications (next_at);

CREATE TABLE mail_preferences (
    user_id   TEXT NOT NULL PRIMARY KEY REFERENCES users (id) ON DELETE CASCADE,
    time_zone TEXT NOT NULL DEFAULT 'UTC',
    answers   INTEGER NOT NULL DEFAULT 1 -- whether to mail what visitors answer in items assigned to them
) WITHOUT ROWID;

-- Addresses that nothing is sent to, by a hash of project and address.
CREATE TABLE mail_addresses (
    hash         BLOB NOT NULL PRIMARY KEY,
    project_id   TEXT NOT NULL, -- '' where it is a member's
    bounces      INTEGER NOT NULL DEFAULT 0, -- refused for good, one after the other
    unsubscribed INTEGER NOT NULL DEFAULT 0,
    updated_at   INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX mail_addresses_by_project ON mail_addresses (project_id);

-- +goose Down
DROP TABLE mail_addresses;
DROP TABLE mail_preferences;
DROP TABLE notifications;
DROP TABLE mails;
