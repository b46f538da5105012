// Package migrations embeds the schema's history, one folder a dialect. The SQL
// is the truth about the schema: nothing else creates or alters a table.
package migrations

import (
	"embed"
	"io/fs"
)

//go:embed sqlite/*.sql
var files embed.FS

// SQLite is the folder of SQLite migrations.
func SQLite() fs.FS {
	sub, err := fs.Sub(files, "sqlite")
	if err != nil { // the folder is compiled in
		panic(err)
	}
	return sub
}
