//go:build unix

// Package postgrestest runs a PostgreSQL server of its own for tests: in a folder
// and on a port that nobody else uses, from the programs that Debian's package
// postgresql brings along.
//
// A package has one such server for all its tests, begun by the first test that
// asks for a database and ended with the process. Each test gets a database of its
// own, copied from a template.
package postgrestest

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	_ "github.com/jackc/pgx/v5/stdlib" // registers the driver "pgx"
)

// Environment says whether tests run on PostgreSQL as well.
const Environment = "EARSHOT_TEST_POSTGRES"

// What Environment may be set to; without it they do where there is a server.
const (
	Required = "required" // a server that is missing is a failure
	Only     = "only"     // on PostgreSQL and nowhere else
	Off      = "off"
)

// Programs is the folder with initdb and postgres, of the newest version that is
// installed; an error where there is none.
func Programs() (string, error) {
	found, err := filepath.Glob("/usr/lib/postgresql/*/bin/initdb")
	if err != nil || len(found) == 0 {
		return "", errors.Join(errors.New("there is no PostgreSQL server in /usr/lib/postgresql: apt-get install postgresql"), err)
	}
	slices.SortFunc(found, func(a, b string) int { return len(a) - len(b) }) // 9.6 is shorter than 15
	return filepath.Dir(found[len(found)-1]), nil
}

// Wanted reports whether tests are to run on PostgreSQL, and whether nowhere else.
// The error says why they cannot although they have to.
func Wanted() (wanted, only bool, err error) {
	_, missing := Programs()
	switch setting := os.Getenv(Environment); setting {
	case Off:
		return false, false, nil
	case Required, Only:
		return true, setting == Only, missing
	case "":
		return missing == nil, false, nil
	default:
		return false, false, fmt.Errorf("%s is %q: it may be %s, %s or %s", Environment, setting, Required, Only, Off)
	}
}

// shared is the package's server.
var shared struct { //nolint:gochecknoglobals // all tests of a package share it
	mu        sync.Mutex
	server    *Server
	templates map[string]bool
	databases int
}

// Database is the address of a new database, which is gone when the test ends. It
// is a copy of the template of that name, which prepare makes once; "" is an empty
// database.
func Database(t testing.TB, template string, prepare func(url string) error) string {
	t.Helper()
	shared.mu.Lock()
	defer shared.mu.Unlock()
	if shared.server == nil {
		// What they acknowledge need not outlive the machine.
		server, err := Start("fsync=off", "full_page_writes=off", "autovacuum=off")
		if err != nil {
			t.Fatal(err)
		}
		shared.server, shared.templates = server, map[string]bool{}
	}
	server := shared.server
	from := "template0"
	if template != "" {
		from = "prepared_" + template
		if !shared.templates[template] {
			if err := server.create(from, "template0"); err != nil {
				t.Fatal(err)
			}
			if err := prepare(server.URL(from)); err != nil {
				t.Fatal(err)
			}
			shared.templates[template] = true
		}
	}
	shared.databases++
	name := fmt.Sprintf("test_%d", shared.databases)
	if err := server.create(name, from); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := server.Exec("postgres", "DROP DATABASE "+name+" WITH (FORCE)"); err != nil {
			t.Errorf("drop the test's database: %v", err)
		}
	})
	return server.URL(name)
}

func (s *Server) create(name, template string) error {
	return s.Exec("postgres", fmt.Sprintf("CREATE DATABASE %s TEMPLATE %s", name, template))
}

// Exec runs a statement in a database, as the server's administrator.
func (s *Server) Exec(database, statement string) error {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	db, err := sql.Open("pgx", s.URL(database))
	if err != nil {
		return err
	}
	_, err = db.ExecContext(ctx, statement)
	if err = errors.Join(err, db.Close()); err != nil {
		return fmt.Errorf("%s: %w", statement, err)
	}
	return nil
}

// patience is how long a server may take to answer, to start or to end.
const patience = 30 * time.Second
