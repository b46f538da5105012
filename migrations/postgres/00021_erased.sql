-- What was erased leaves nothing by which it could be told: no fingerprint of a
-- message, no count of a page.

-- +goose Up
UPDATE messages SET fingerprint = '' WHERE deleted_at IS NOT NULL AND fingerprint <> '';
DELETE FROM insights WHERE n <= 0;
DELETE FROM reads WHERE feedback_id IN (SELECT id FROM feedback WHERE erased_at IS NOT NULL);

-- +goose Down
SELECT 1; -- what is gone is gone
