-- Who may do what, how they prove who they are, and the record of what they did.

-- +goose Up
ALTER TABLE users ADD COLUMN email_verified_at INTEGER;
ALTER TABLE users ADD COLUMN totp_secret BLOB;       -- sealed; NULL without a second factor
ALTER TABLE users ADD COLUMN totp_confirmed_at INTEGER; -- NULL while it is being set up
ALTER TABLE users ADD COLUMN totp_step INTEGER NOT NULL DEFAULT 0; -- the newest time step that was used
-- Until now a user was made by the operator, by the setup link or by open sign-up.
-- The first two know whose address it is, the third proved nothing; it also made an
-- organisation, so where there is one alone nobody has signed up.
UPDATE users SET email_verified_at = created_at WHERE (SELECT count(*) FROM organizations) = 1;

ALTER TABLE sessions ADD COLUMN agent TEXT NOT NULL DEFAULT '';
ALTER TABLE sessions ADD COLUMN address TEXT NOT NULL DEFAULT ''; -- truncated: /24, /48
ALTER TABLE sessions ADD COLUMN used_at INTEGER NOT NULL DEFAULT 0;
UPDATE sessions SET used_at = created_at;

CREATE TABLE recovery_codes (
    user_id TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    hash    BLOB NOT NULL,
    PRIMARY KEY (user_id, hash)
) WITHOUT ROWID;

-- Accounts at other providers, by what such a provider never changes.
CREATE TABLE identities (
    issuer     TEXT NOT NULL,
    subject    TEXT NOT NULL,
    user_id    TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    created_at INTEGER NOT NULL,
    PRIMARY KEY (issuer, subject)
) WITHOUT ROWID;
CREATE INDEX identities_by_user ON identities (user_id);

-- Failed attempts to prove something, by a hash of who tried what from where.
CREATE TABLE failures (
    key      BLOB NOT NULL PRIMARY KEY,
    count    INTEGER NOT NULL,
    until    INTEGER NOT NULL, -- nothing is tried before
    last_at  INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX failures_by_time ON failures (last_at);

CREATE TABLE api_keys (
    id              TEXT NOT NULL PRIMARY KEY,
    organization_id TEXT NOT NULL REFERENCES organizations (id) ON DELETE CASCADE,
    project_id      TEXT NOT NULL DEFAULT '', -- '': all of the organisation's
    name            TEXT NOT NULL,
    hash            BLOB NOT NULL UNIQUE,
    hint            TEXT NOT NULL, -- its last characters, to tell keys apart
    scopes          TEXT NOT NULL,
    created_by      TEXT NOT NULL,
    created_at      INTEGER NOT NULL,
    used_at         INTEGER
);
CREATE INDEX api_keys_by_organization ON api_keys (organization_id, created_at);

CREATE TABLE invites (
    id              TEXT NOT NULL PRIMARY KEY,
    organization_id TEXT NOT NULL REFERENCES organizations (id) ON DELETE CASCADE,
    hash            BLOB NOT NULL UNIQUE,
    email           TEXT NOT NULL DEFAULT '', -- '': whoever has the link
    role            TEXT NOT NULL CHECK (role IN ('owner', 'admin', 'agent', 'viewer')),
    created_by      TEXT NOT NULL,
    created_at      INTEGER NOT NULL,
    expires_at      INTEGER NOT NULL
);
CREATE INDEX invites_by_organization ON invites (organization_id, created_at);
CREATE INDEX invites_by_end ON invites (expires_at);

-- Mails about accounts: invitations, resets. They hold links that are secrets, so
-- they are sealed while they wait, and gone with the links' end.
CREATE TABLE letters (
    id         TEXT NOT NULL PRIMARY KEY,
    sealed     BLOB NOT NULL,
    due_at     INTEGER NOT NULL,
    attempts   INTEGER NOT NULL DEFAULT 0,
    expires_at INTEGER NOT NULL
);
CREATE INDEX letters_by_due ON letters (due_at);

-- What was done, one chain an organisation: each entry's mac is over the entry and
-- the mac before it, with a key that is not in the database. Ids and no personal
-- data, so that erasing somebody never breaks it.
CREATE TABLE audit (
    organization_id TEXT NOT NULL,
    n               INTEGER NOT NULL,
    at              INTEGER NOT NULL,
    actor_kind      TEXT NOT NULL,
    actor_id        TEXT NOT NULL,
    address         TEXT NOT NULL, -- truncated: /24, /48
    action          TEXT NOT NULL,
    object_kind     TEXT NOT NULL,
    object_id       TEXT NOT NULL,
    project_id      TEXT NOT NULL,
    detail          TEXT NOT NULL,
    mac             BLOB NOT NULL,
    PRIMARY KEY (organization_id, n)
) WITHOUT ROWID;
-- Entries are only ever added.
-- +goose StatementBegin
CREATE TRIGGER audit_no_update BEFORE UPDATE ON audit BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER audit_no_delete BEFORE DELETE ON audit BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END;
-- +goose StatementEnd

-- +goose Down
DROP TABLE audit;
DROP TABLE letters;
DROP TABLE invites;
DROP TABLE api_keys;
DROP TABLE failures;
DROP TABLE identities;
DROP TABLE recovery_codes;
ALTER TABLE sessions DROP COLUMN used_at;
ALTER TABLE sessions DROP COLUMN address;
ALTER TABLE sessions DROP COLUMN agent;
ALTER TABLE users DROP COLUMN totp_step;
ALTER TABLE users DROP COLUMN totp_confirmed_at;
ALTER TABLE users DROP COLUMN totp_secret;
ALTER TABLE users DROP COLUMN email_verified_at;
