package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
)

// inspectPostgres is Inspect for a database that has an address. Its pages are its
// server's to look after.
func inspectPostgres(ctx context.Context, address string) (found Inspection, err error) {
	schema, err := openPostgresSchema(ctx, address)
	if err != nil {
		return found, err
	}
	defer func() { err = errors.Join(err, schema.Close()) }()
	for _, source := range schema.provider.ListSources() {
		found.Newest = max(found.Newest, source.Version)
	}
	applied, err := appliedMigrations(ctx, schema.db)
	if err != nil {
		return found, err
	}
	if len(applied) > 0 {
		found.Version = slices.Max(applied)
	}
	var fsync, pages string
	if err := schema.db.QueryRowContext(ctx, "SELECT current_setting('fsync'), current_setting('full_page_writes')").Scan(&fsync, &pages); err != nil {
		return found, fmt.Errorf("ask whether commits are synced: %w", err)
	}
	if fsync != "on" || pages != "on" {
		found.Durable = fmt.Errorf("the server runs with fsync=%s and full_page_writes=%s: what it acknowledges can be lost with its power", fsync, pages)
	}
	if found.Version < found.Newest {
		return found, nil
	}
	if err := schema.checkCurrent(ctx); err != nil {
		return found, err
	}
	var last sql.NullInt64
	if err := schema.db.QueryRowContext(ctx, "SELECT MAX(at) FROM events").Scan(&last); err != nil {
		return found, fmt.Errorf("read the last change: %w", err)
	}
	if last.Valid {
		found.LastChange = fromMillis(last.Int64)
	}
	return found, nil
}
