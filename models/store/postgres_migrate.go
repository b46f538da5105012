package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/pressly/goose/v3"

	"earshot/migrations"
)

// The keys of the advisory locks that nodes exclude each other by. They are the
// database's own, so a database is shared with nothing that uses the same.
const (
	lockOfWriters    = 0x65617273_00000001 // "ears"
	lockOfMigrations = 0x65617273_00000002
	lockOfSearch     = 0x65617273_00000003
)

const (
	// migrationPatience is how long a node waits for another one that migrates.
	migrationPatience = 2 * time.Minute
	migrationLook     = 100 * time.Millisecond
	// migrationLock bounds how long a migration waits for a table that is in use.
	// Whoever comes later waits behind it.
	migrationLock = "20s"
)

// openPostgresSchema prepares the schema's history in PostgreSQL.
func openPostgresSchema(ctx context.Context, address string) (*Schema, error) {
	db, err := connectPostgres(ctx, address, "schema", map[string]string{"statement_timeout": "0", "lock_timeout": migrationLock})
	if err != nil {
		return nil, err
	}
	// One connection holds the lock, one migrates, one records.
	db.SetMaxOpenConns(3)
	provider, err := goose.NewProvider(goose.DialectPostgres, db, migrations.Postgres())
	if err != nil {
		return nil, errors.Join(fmt.Errorf("read migrations: %w", err), db.Close())
	}
	s := &Schema{path: address, db: db, provider: provider}
	if err := s.checkPostgres(ctx); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return s, nil
}

// checkPostgres refuses a schema that this program must not touch. It only reads.
func (s *Schema) checkPostgres(ctx context.Context) error {
	applied, err := appliedMigrations(ctx, s.db)
	if err != nil {
		return err
	}
	there, err := partsOf(ctx, s.db)
	if err != nil {
		return err
	}
	var known []int64
	for _, source := range s.provider.ListSources() {
		known = append(known, source.Version)
	}
	newest := int64(0)
	if len(applied) > 0 {
		newest = slices.Max(applied)
	}
	if last := slices.Max(known); newest > last {
		return fmt.Errorf("the database has schema version %d and this program knows %d: use a newer earshot", newest, last)
	}
	for _, version := range known {
		if version < newest && !slices.Contains(applied, version) {
			return fmt.Errorf("the database's schema is of version %d but lacks migration %d: restore the database from a backup", newest, version)
		}
	}
	if missing := slices.DeleteFunc(postgresParts(newest), func(p schemaPart) bool { return there[p] }); len(missing) > 0 {
		others := ""
		if len(missing) > 1 {
			others = fmt.Sprintf(" and lacks %d more of its parts", len(missing)-1)
		}
		return fmt.Errorf("the database's schema is of version %d but has no %s%s: restore the database from a backup", newest, missing[0], others)
	}
	if newest == 0 {
		for _, p := range postgresParts(slices.Max(known)) {
			if there[p] {
				return fmt.Errorf("the database has a %s but no record of our migrations: it is something else's, or half restored; give Earshot an empty database", p)
			}
		}
	}
	return nil
}

// appliedMigrations reads goose's own record; the library would make its table.
func appliedMigrations(ctx context.Context, db *sql.DB) (versions []int64, err error) {
	var there bool
	if err := db.QueryRowContext(ctx, "SELECT to_regclass('goose_db_version') IS NOT NULL").Scan(&there); err != nil || !there {
		return nil, wrapVersion(err)
	}
	rows, err := db.QueryContext(ctx, `SELECT version_id FROM (SELECT DISTINCT ON (version_id) version_id, is_applied
		FROM goose_db_version ORDER BY version_id, id DESC) AS latest WHERE is_applied AND version_id > 0`)
	if err != nil {
		return nil, wrapVersion(err)
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var version int64
		if err := rows.Scan(&version); err != nil {
			return nil, wrapVersion(err)
		}
		versions = append(versions, version)
	}
	return versions, wrapVersion(rows.Err())
}

func wrapVersion(err error) error {
	if err == nil {
		return nil
	}
	if postgresCode(err) == "42501" {
		return errors.New("the database's user may not read our tables: they belong to another user; connect as that one, or GRANT it its role")
	}
	return fmt.Errorf("read the schema's version: %w", err)
}

// exclusively runs a change of the schema while no other node changes it. What the
// other one did is checked anew.
func (s *Schema) exclusively(ctx context.Context, change func() error) (err error) {
	defer func() {
		if postgresCode(err) == "53300" { // the lock has a connection of its own
			err = tooFewConnections()
		}
	}()
	conn, err := s.db.Conn(ctx)
	if err != nil {
		return fmt.Errorf("lock the schema: %w", err)
	}
	defer func() { err = errors.Join(err, conn.Close()) }()
	waiting, cancel := context.WithTimeout(ctx, migrationPatience)
	defer cancel()
	for locked := false; !locked; {
		if err := conn.QueryRowContext(waiting, "SELECT pg_try_advisory_lock($1)", int64(lockOfMigrations)).Scan(&locked); err != nil {
			return fmt.Errorf("lock the schema: %w", err)
		}
		if locked {
			break
		}
		select {
		case <-waiting.Done():
			return errors.Join(errors.New("another node has been changing the schema for minutes: wait for it, or end it, and start again"), ctx.Err())
		case <-time.After(migrationLook):
		}
	}
	defer func() {
		_, unlockErr := conn.ExecContext(context.WithoutCancel(ctx), "SELECT pg_advisory_unlock($1)", int64(lockOfMigrations))
		err = errors.Join(err, unlockErr)
	}()
	if err := s.checkPostgres(ctx); err != nil {
		return err
	}
	return change()
}

// upPostgres applies what is pending, each migration in a transaction of its own:
// one that fails leaves the schema as the one before it has made it.
func (s *Schema) upPostgres(ctx context.Context) error {
	pending, err := s.pendingPostgres(ctx)
	if err != nil || !pending {
		return err
	}
	if err := s.mayCreate(ctx); err != nil {
		return err
	}
	return s.exclusively(ctx, func() error {
		if _, err := s.provider.Up(ctx); err != nil {
			var failed *goose.PartialError
			if errors.As(err, &failed) {
				return fmt.Errorf("migration %d failed, and the schema is as it was before it: %w", failed.Failed.Source.Version, failed.Err)
			}
			return fmt.Errorf("migrate up: %w", err)
		}
		return s.checkPostgres(ctx)
	})
}

func (s *Schema) pendingPostgres(ctx context.Context) (bool, error) {
	applied, err := appliedMigrations(ctx, s.db)
	if err != nil {
		return false, err
	}
	return slices.ContainsFunc(s.provider.ListSources(), func(source *goose.Source) bool {
		return !slices.Contains(applied, source.Version)
	}), nil
}

func (s *Schema) mayCreate(ctx context.Context) error {
	var user, schema string
	var may bool
	err := s.db.QueryRowContext(ctx, "SELECT current_user::text, current_schema()::text, has_schema_privilege(current_schema(), 'CREATE')").Scan(&user, &schema, &may)
	if err == nil && !may {
		err = fmt.Errorf("%q may not create tables in the schema %q: GRANT CREATE ON SCHEMA %s TO %s, or connect as its owner", user, schema, schema, user)
	}
	return err
}

// checkCurrent refuses a schema that is not exactly this program's, and a user who
// may not use it.
func (s *Schema) checkCurrent(ctx context.Context) error {
	if pending, err := s.pendingPostgres(ctx); err != nil || pending {
		return errors.Join(err, errors.New("the database's schema is older than this program: run earshot migrate up"))
	}
	var ours []string
	for _, p := range postgresParts(math.MaxInt64) {
		if p.kind == kindTable {
			ours = append(ours, p.name)
		}
	}
	var user, tables string
	err := s.db.QueryRowContext(ctx, `SELECT current_user::text, coalesce(string_agg(tablename::text, ', ' ORDER BY tablename), '') FROM pg_tables
		WHERE schemaname = current_schema() AND tablename::text = ANY (string_to_array($1, ','))
		AND EXISTS (SELECT 1 FROM unnest('{SELECT,INSERT,UPDATE,DELETE}'::text[]) AS needed (privilege)
			WHERE NOT has_table_privilege(quote_ident(schemaname) || '.' || quote_ident(tablename), needed.privilege))`,
		strings.Join(ours, ",")).Scan(&user, &tables)
	if err == nil && tables != "" {
		err = fmt.Errorf("%q may not read and write our tables (%s): connect as their owner, or GRANT it SELECT, INSERT, UPDATE, DELETE on them", user, tables)
	}
	return err
}
