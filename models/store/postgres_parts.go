package store

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"regexp"
	"slices"
	"strings"

	"github.com/pressly/goose/v3"

	"earshot/migrations"
)

// schemaPart is something that the schema is made of. A dump that was restored in part may
// have the tables and not what keeps them: keys, indexes, triggers.
type schemaPart struct{ kind, table, name string }

const (
	kindTable   = "table" // its name is twice in its part
	kindIndex   = "index" // also a primary key and what is unique, which are indexes
	kindForeign = "foreign key"
	kindTrigger = "trigger"
)

func (p schemaPart) String() string { return fmt.Sprintf("%s %q", p.kind, p.name) }

// partsOf are the parts where ours are, or would be. An index that was not finished is
// none.
func partsOf(ctx context.Context, db *sql.DB) (there map[schemaPart]bool, err error) {
	rows, err := db.QueryContext(ctx, `WITH ours AS (SELECT oid, relname AS name FROM pg_class WHERE relnamespace = current_schema()::regnamespace AND relkind IN ('r', 'p'))
		SELECT $1::text, name::text, name::text FROM ours
		UNION ALL SELECT $2, name, i.relname FROM ours JOIN pg_index ON indrelid = ours.oid AND indisvalid JOIN pg_class AS i ON i.oid = indexrelid
		UNION ALL SELECT $3, name, conname FROM ours JOIN pg_constraint ON conrelid = ours.oid AND contype = 'f'
		UNION ALL SELECT $4, name, tgname FROM ours JOIN pg_trigger ON tgrelid = ours.oid AND NOT tgisinternal`,
		kindTable, kindIndex, kindForeign, kindTrigger)
	if err != nil {
		return nil, wrapVersion(err)
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	there = map[schemaPart]bool{}
	for rows.Next() {
		var p schemaPart
		if err := rows.Scan(&p.kind, &p.table, &p.name); err != nil {
			return nil, wrapVersion(err)
		}
		there[p] = true
	}
	return there, wrapVersion(rows.Err())
}

// What migrations say of parts: a statement begins its line, and what is in the
// parentheses of a table is indented.
var (
	saysPart    = regexp.MustCompile(`^(CREATE|DROP) (?:UNIQUE )?(TABLE|INDEX|TRIGGER) (\w+)(?:.*? ON (\w+))?`)
	saysColumns = regexp.MustCompile(`^\s+(PRIMARY KEY|UNIQUE|FOREIGN KEY) \(([^)]*)\)`)
	saysColumn  = regexp.MustCompile(`^\s+(\w+) .*?\b(PRIMARY KEY|UNIQUE|REFERENCES)\b(?:.*\b(REFERENCES)\b)?`)
)

// postgresParts are the parts that the schema has at a version, by what its migrations
// say.
func postgresParts(version int64) (parts []schemaPart) {
	table := ""
	for _, line := range postgresMigrations(version) {
		line, _, _ = strings.Cut(line, "--")
		if found := saysPart.FindStringSubmatch(line); found != nil {
			p := schemaPart{kind: strings.ToLower(found[2]), table: cmp.Or(found[4], found[3]), name: found[3]}
			if found[1] == "CREATE" {
				parts = append(parts, p)
			} else {
				parts = slices.DeleteFunc(parts, func(other schemaPart) bool {
					return other.kind == p.kind && other.name == p.name || p.kind == kindTable && other.table == p.name
				})
			}
			table = p.table
		} else if found := saysColumns.FindStringSubmatch(line); found != nil {
			parts = append(parts, unnamed(table, found[1], strings.Split(found[2], ", ")...))
		} else if found := saysColumn.FindStringSubmatch(line); found != nil {
			for _, constraint := range found[2:] {
				if constraint != "" {
					parts = append(parts, unnamed(table, constraint, found[1]))
				}
			}
		}
	}
	return parts
}

// unnamed is what keeps a constraint that has no name in its migration: the server
// gives it one (ChooseIndexName and ChooseConstraintName in its source).
func unnamed(table, constraint string, columns ...string) schemaPart {
	switch constraint {
	case "PRIMARY KEY":
		return schemaPart{kindIndex, table, table + "_pkey"}
	case "UNIQUE":
		return schemaPart{kindIndex, table, table + "_" + strings.Join(columns, "_") + "_key"}
	}
	return schemaPart{kindForeign, table, table + "_" + strings.Join(columns, "_") + "_fkey"}
}

// postgresMigrations are the lines of the migrations up to a version.
func postgresMigrations(version int64) (lines []string) {
	files, err := fs.Glob(migrations.Postgres(), "*.sql")
	if err != nil { // the pattern is a constant
		panic(err)
	}
	for _, file := range files { // in their order
		content, err := fs.ReadFile(migrations.Postgres(), file)
		of, named := goose.NumericComponent(file)
		if err != nil || named != nil { // they are compiled in
			panic(errors.Join(err, named))
		}
		if of > version {
			break
		}
		up, _, _ := strings.Cut(string(content), "-- +goose Down")
		lines = append(lines, strings.Split(up, "\n")...)
	}
	return lines
}
