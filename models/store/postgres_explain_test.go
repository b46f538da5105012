package store

import (
	"bytes"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/url"
	"strings"
	"testing"

	"earshot/models"
	"earshot/models/store/postgrestest"
)

// openAndClose is what somebody is told who starts a server on a database.
func openAndClose(t *testing.T, address string) error {
	t.Helper()
	s, err := Open(t.Context(), Options{Path: address, Log: slog.New(slog.NewTextHandler(io.Discard, nil))})
	if err == nil {
		return s.Close()
	}
	return err
}

// inOneLine holds what somebody is told against what it has to say.
func inOneLine(t *testing.T, err error, want ...string) {
	t.Helper()
	if err == nil {
		t.Fatalf("nothing is refused, want %q", want)
	}
	for _, want := range want {
		if text := err.Error(); !strings.Contains(text, want) || strings.ContainsAny(text, "\n\t") {
			t.Errorf("it says %q, want one line with %q", text, want)
		}
	}
}

// Where the server, the database or the user's rights are not what they have to be,
// one line says what to do, and none shows the password.
func TestPostgresSaysWhatToDo(t *testing.T) {
	t.Parallel()
	ofPostgres(t)
	path := newDatabase(t)
	execute(t, path, "CREATE ROLE guest LOGIN PASSWORD 'sEcret'", "CREATE DATABASE latin ENCODING 'LATIN1' LOCALE 'C' TEMPLATE template0")
	t.Cleanup(func() { execute(t, path, "DROP DATABASE latin", "DROP OWNED BY guest", "DROP ROLE guest") })
	free, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	nobody := free.Addr().String()
	if err := free.Close(); err != nil {
		t.Fatal(err)
	}
	server, database, _ := strings.Cut(strings.TrimPrefix(path, "postgres://postgres@"), "/")
	database, _, _ = strings.Cut(database, "?")
	for _, tc := range []struct{ name, address, want string }{
		{"no address", "postgres://", "must be an address such as"},
		{"no database in it", "postgres://guest:sEcret@" + server, "must be an address such as"},
		{"a percent sign", "postgres://guest:sEcret%s@" + server + "/" + database, "% as %25"},
		{"an at sign", "postgres://guest:p@sEcret@" + server + "/" + database, "@ as %40"},
		{"a slash", "postgres://guest:p/sEcret@" + server + "/" + database, "/ as %2F"},
		{"a slash behind digits", "postgres://guest:12/sEcret@" + server + "/" + database, "/ as %2F"},
		{"a question mark behind digits", "postgres://guest:12/a?sEcret@" + server + "/" + database, "? as %3F"},
		{"a number sign", "postgres://guest:p#sEcret@" + server + "/" + database, "# as %23"},
		{"a bracket", "postgres://guest:p[sEcret@" + server + "/" + database, "must be percent-encoded"},
		{"a mode of TLS", "postgres://guest:sEcret@" + server + "/" + database + "?sslmode=foo", "unknown sslmode: it may be disable,"},
		{"which session", "postgres://guest:sEcret@" + server + "/" + database + "?target_session_attrs=foo", "it may be any, read-write,"},
		{"an unknown setting", "postgres://guest:sEcret@" + server + "/" + database + "?sslmod=require", `unrecognized configuration parameter "sslmod"`},
		{"no certificate", "postgres://guest:sEcret@" + server + "/" + database + "?sslmode=verify-full&sslrootcert=/missing", "cannot be read: open /missing"},
		{"no TLS", "postgres://guest:sEcret@" + server + "/" + database + "?sslmode=verify-full", "does not speak TLS"},
		{"a bad port", "postgres://guest:sEcret@127.0.0.1:port/earshot", "must be an address such as"},
		{"nobody there", "postgres://guest:sEcret@" + nobody + "/earshot", "cannot be reached"},
		{"no such host", "postgres://guest:sEcret@nowhere.invalid/earshot", "cannot be reached"},
		{"no such user", "postgres://stranger:sEcret@" + server + "/" + database, "does not let \"stranger\" in"},
		{"no such database", "postgres://guest:sEcret@" + server + "/missing", "has no database \"missing\": create it"},
		{"another encoding", "postgres://guest:sEcret@" + server + "/latin", "ENCODING 'UTF8'"},
		{"no rights", "postgres://guest:sEcret@" + server + "/" + database, "may not read our tables"},
		{"no tables", "postgres://postgres@" + server + "/postgres", "run earshot migrate up"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			err := openAndClose(t, tc.address)
			if err == nil || !strings.Contains(err.Error(), tc.want) {
				t.Fatalf("it says %v, want %q", err, tc.want)
			}
			if text := err.Error(); strings.Contains(text, "sEcret") || strings.Contains(text, "\n") {
				t.Errorf("it says %q: more than one line, or the password", text)
			}
		})
	}
	db, err := connectPostgres(t.Context(), path, "test", nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := checkServer(t.Context(), db, 990000); err == nil || !strings.Contains(err.Error(), "is too old: Earshot needs 99 or newer") {
		t.Errorf("a server that is too old: %v", err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	guest := "postgres://guest:sEcret@" + server + "/" + database
	execute(t, path, "GRANT SELECT ON ALL TABLES IN SCHEMA public TO guest")
	if err := openAndClose(t, guest); err == nil || !strings.Contains(err.Error(), `"guest" may not read and write our tables`) {
		t.Errorf("who may only read is told %v", err)
	}
	empty := emptyDatabase(t)
	execute(t, empty, "REVOKE CREATE ON SCHEMA public FROM PUBLIC")
	schema := openSchema(t, strings.Replace(empty, "postgres@", "guest:sEcret@", 1))
	if _, err := schema.Up(t.Context()); err == nil || !strings.Contains(err.Error(), "GRANT CREATE ON SCHEMA public TO guest") {
		t.Errorf("who may not create tables is told %v", err)
	}
}

// Addresses that are as they should be.
func TestPostgresAddressesAreAccepted(t *testing.T) {
	t.Parallel()
	ofPostgres(t)
	for _, address := range []string{
		"postgres://user@host/database", "postgresql://user:p%40ss%25@host:5432/database", "postgres://user:p:ss!*@host/database",
		"postgres://user:pass@one:5432,two:5432/database?target_session_attrs=read-write", "postgres://host/database?application_name=a@b",
		"postgres:///database?host=/var/run/postgresql&user=me@there", "postgres://user@[::1]:5432/database?sslmode=verify-full",
	} {
		if err := CheckPostgres(address); err != nil {
			t.Errorf("%s %v", address, err)
		}
	}
}

// A database that takes no writes is refused at a start, with what to do. Where the
// address names several servers, the primary among them is found.
func TestPostgresIsReadOnly(t *testing.T) {
	t.Parallel()
	server, address := ownServer(t)
	if err := server.Exec("postgres", "ALTER DATABASE earshot SET default_transaction_read_only = on"); err != nil {
		t.Fatal(err)
	}
	inOneLine(t, openAndClose(t, address), "read-only", "address of the primary", "turn default_transaction_read_only off")
	if _, err := Inspect(t.Context(), address); err == nil {
		t.Error("who looks whether all is well is not told")
	}
	if err := server.Exec("postgres", "ALTER DATABASE earshot RESET default_transaction_read_only"); err != nil {
		t.Fatal(err)
	}
	standby := postgrestest.New(t)
	if err := standby.Exec("postgres", "CREATE DATABASE earshot"); err != nil {
		t.Fatal(err)
	}
	if err := standby.Demote(); err != nil {
		t.Fatal(err)
	}
	inOneLine(t, openAndClose(t, standby.URL("earshot")), "standby", "target_session_attrs=read-write")
	inOneLine(t, openAndClose(t, standby.URL("earshot")+"&target_session_attrs=read-write"), "standby", "address of the primary")
	inOneLine(t, openAndClose(t, standby.URL("earshot")+"&target_session_attrs=primary"), "standby", "address of the primary")
	primary, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	both := strings.Replace(standby.URL("earshot"), "/earshot", ","+primary.Host+"/earshot", 1) + "&target_session_attrs=read-write"
	s := reopenTest(t, both, nil)
	_, p := newProject(t, s)
	mustSubmit(t, s, newFeedback(p, "to the primary"))
}

// A server that becomes a standby makes writes unavailable, and no more than that, until
// there is a primary again.
func TestPostgresBecomesReadOnly(t *testing.T) {
	t.Parallel()
	server, address := ownServer(t)
	s := reopenTest(t, address, nil)
	scope, p := newProject(t, s)
	mustSubmit(t, s, newFeedback(p, "before"))
	if err := server.Demote(); err != nil {
		t.Fatal(err)
	}
	await(t, func() bool { return s.Ping(t.Context()) == nil })
	for range 3 {
		_, err := s.Submit(t.Context(), newFeedback(p, "meanwhile"))
		wantCode(t, "a submission", err, models.CodeUnavailable)
		wantCode(t, "another write", s.SetMeta(t.Context(), "a", "b"), models.CodeUnavailable)
		if _, err := s.Project(t.Context(), scope, p.ID); err != nil {
			t.Errorf("a read: %v", err)
		}
	}
	if err := server.Promote(); err != nil {
		t.Fatal(err)
	}
	await(t, func() bool { _, err := s.Submit(t.Context(), newFeedback(p, "afterwards")); return err == nil })
}

// Who may open fewer connections than a server needs is told how many that are, and
// what to raise.
func TestPostgresHasTooFewConnections(t *testing.T) {
	t.Parallel()
	server, address := ownServer(t)
	for _, statement := range []string{"CREATE ROLE few LOGIN", "GRANT ALL ON ALL TABLES IN SCHEMA public TO few", "GRANT ALL ON SCHEMA public TO few",
		"GRANT ALL ON ALL SEQUENCES IN SCHEMA public TO few", "CREATE DATABASE empty OWNER few"} {
		if err := server.Exec("earshot", statement); err != nil {
			t.Fatal(err)
		}
	}
	limit := func(n int) {
		if err := server.Exec("postgres", fmt.Sprint("ALTER ROLE few CONNECTION LIMIT ", n)); err != nil {
			t.Fatal(err)
		}
	}
	address = strings.Replace(address, "postgres@", "few@", 1)
	want := []string{fmt.Sprintf("needs %d", postgresConnections()), "ALTER ROLE … CONNECTION LIMIT", "max_connections"}
	for n := range 2 {
		limit(n)
		inOneLine(t, openAndClose(t, address), want...)
		schema, err := OpenSchema(t.Context(), strings.Replace(address, "/earshot", "/empty", 1))
		if err == nil {
			_, err = schema.Up(t.Context())
			_ = schema.Close()
		}
		inOneLine(t, err, want...)
	}
	for n, warned := range map[int]int{-1: 0, 5: 1, postgresConnections(): 0} {
		limit(n)
		var said bytes.Buffer
		s, err := Open(t.Context(), Options{Path: address, Log: slog.New(slog.NewTextHandler(&said, nil))})
		if err != nil {
			t.Fatal(err)
		}
		closeStore(t, s)
		if lines := strings.Count(said.String(), "lets in fewer connections"); lines != warned {
			t.Errorf("with a limit of %d it warns %d times, want %d: %s", n, lines, warned, &said)
		}
	}
}
