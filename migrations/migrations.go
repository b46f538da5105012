// Package migrations embeds the schema's history, one folder a dialect. The SQL
// is the truth about the schema: nothing else creates or alters a table.
package migrations

import (
	"embed"
	"io/fs"
)

//go:embed sqlite/*.sql postgres/*.sql
var files embed.FS

// SQLite is the folder of SQLite's migrations.
func SQLite() fs.FS { return folder("sqlite") }

// Postgres is the folder of PostgreSQL's. A migration has the same number in both.
func Postgres() fs.FS { return folder("postgres") }

func folder(name string) fs.FS {
	sub, err := fs.Sub(files, name)
	if err != nil { // the folder is compiled in
		panic(err)
	}
	return sub
}
