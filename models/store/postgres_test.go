package store

import (
	"database/sql"
	"fmt"
	"strings"
	"testing"
)

const (
	postgresTableNames = "SELECT tablename FROM pg_tables WHERE schemaname = current_schema()"
	postgresColumns    = `SELECT a.attname AS name, coalesce(array_position(i.indkey::int[], a.attnum::int) + 1, 0) AS pk FROM pg_attribute AS a
		LEFT JOIN pg_index AS i ON i.indrelid = a.attrelid AND i.indisprimary
		WHERE a.attrelid = CAST(? AS regclass) AND a.attnum > 0 AND NOT a.attisdropped`
)

// ofPostgres ends a test on SQLite that is about PostgreSQL.
func ofPostgres(t testing.TB) {
	t.Helper()
	if !onPostgres {
		t.Skip("is about PostgreSQL, and run there")
	}
}

// postgresSchemaOf is all that there is of a schema: columns, indexes, constraints,
// triggers and functions.
func postgresSchemaOf(t *testing.T, address string) string {
	t.Helper()
	db, err := sql.Open("pgx", address)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	rows, err := db.Query(`SELECT line FROM (
		SELECT format('%s.%s %s %s %s', table_name, column_name, data_type, collation_name, column_default) AS line
			FROM information_schema.columns WHERE table_schema = current_schema()
		UNION ALL SELECT indexdef FROM pg_indexes WHERE schemaname = current_schema()
		UNION ALL SELECT conrelid::regclass || ' ' || pg_get_constraintdef(oid) FROM pg_constraint WHERE connamespace = current_schema()::regnamespace
		UNION ALL SELECT pg_get_triggerdef(oid) FROM pg_trigger WHERE NOT tgisinternal
		UNION ALL SELECT proname FROM pg_proc WHERE pronamespace = current_schema()::regnamespace
		) AS lines ORDER BY line`)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = rows.Close() }()
	var b strings.Builder
	for rows.Next() {
		var line string
		if err := rows.Scan(&line); err != nil {
			t.Fatal(err)
		}
		fmt.Fprintln(&b, line)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}
