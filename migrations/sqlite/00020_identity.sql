-- Who a visitor is to the site that the widget is on, as the site has signed it.

-- +goose Up
ALTER TABLE projects ADD COLUMN identity_version INTEGER NOT NULL DEFAULT 1; -- of the secret that signs
ALTER TABLE feedback ADD COLUMN identity TEXT NOT NULL DEFAULT '';           -- only where the signature was good

-- +goose Down
ALTER TABLE feedback DROP COLUMN identity;
ALTER TABLE projects DROP COLUMN identity_version;
