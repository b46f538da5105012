package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"

	"github.com/pressly/goose/v3"

	"earshot/migrations"
)

// inspectPostgres is Inspect for a database that has an address. Its pages are its
// server's to look after.
func inspectPostgres(ctx context.Context, address string) (found Inspection, err error) {
	db, err := connectPostgres(ctx, address, "doctor", nil) // a server's session has to be one that may write
	if err != nil {
		return found, err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	if _, err := db.ExecContext(ctx, "SET "+readOnly+" = on"); err != nil {
		return found, fmt.Errorf("only read: %w", err)
	}
	if found.LowLimits, err = lowLimits(ctx, db); err != nil {
		return found, err
	}
	provider, err := goose.NewProvider(goose.DialectPostgres, db, migrations.Postgres())
	if err != nil {
		return found, fmt.Errorf("read migrations: %w", err)
	}
	for _, source := range provider.ListSources() {
		found.Newest = max(found.Newest, source.Version)
	}
	applied, err := appliedMigrations(ctx, db)
	if err != nil {
		return found, err
	}
	if len(applied) > 0 {
		found.Version = slices.Max(applied)
	}
	if found.Version > 0 {
		if found.secret, err = inspectSecret(ctx, db); err != nil {
			return found, err
		}
	}
	if err := db.QueryRowContext(ctx, "SELECT now()").Scan(&found.Now); err != nil {
		return found, fmt.Errorf("ask for the time: %w", err)
	}
	found.Durable, err = durablePostgres(ctx, db)
	return found, err
}

// durablePostgres asks for what a server may have turned off; synchronous_commit is
// set by each of our connections.
func durablePostgres(ctx context.Context, db *sql.DB) (lacking, err error) {
	for _, setting := range []string{"fsync", "full_page_writes"} {
		var value string
		if err := db.QueryRowContext(ctx, "SELECT current_setting($1)", setting).Scan(&value); err != nil {
			return nil, fmt.Errorf("read %s: %w", setting, err)
		}
		if value != "on" {
			return fmt.Errorf("the server has %s = %s: what it acknowledges may be lost with the power", setting, value), nil
		}
	}
	return nil, nil
}
