package main

import (
	"bufio"
	"bytes"
	"context"
	"database/sql"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"earshot/models"
	"earshot/models/store"
	"earshot/models/store/postgrestest"
)

// execute runs the program with an environment of its own.
func execute(t *testing.T, env map[string]string, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	var out, errs bytes.Buffer
	var environ []string
	for name, value := range env {
		environ = append(environ, name+"="+value)
	}
	code = run(t.Context(), args, environ, &out, &errs)
	return code, out.String(), errs.String()
}

func TestBadSettingsAreNamedTogether(t *testing.T) {
	code, _, stderr := execute(t, map[string]string{
		"EARSHOT_ADDR": "nowhere", "EARSHOT_BASE_URL": "ftp://x", "EARSHOT_SECRET": "short", "EARSHOT_SIGNUP": "perhaps",
		"EARSHOT_DRAIN": "soon", "EARSHOT_LIMITS": "some", "EARSHOT_TRUSTED_PROXIES": "10.0.0.0/99", "EARSHOT_ADMIN_EMAIL": "a@example.com",
		"EARSHOT_ADMIN_PASSWORD_FILE": "/does/not/exist", "EARSHOT_DATABASE_URL": "mysql://us:sEcret@db/earshot", "EARSHOT_LOG_LEVEL": "loud",
		"EARSHOT_OIDC_ISSUER": "http://accounts.example.com", "EARSHOT_SMTP_URL": "smtp://us:sEcret@mail.example.com?tls=none",
		"EARSHOT_MAIL_FROM": "nobody", "EARSHOT_NATS_URL": "nats://us:sEcret@nats.example.com:99999",
	})
	if code != exitUsage {
		t.Errorf("exit code is %d, want %d", code, exitUsage)
	}
	for _, name := range []string{
		"EARSHOT_ADDR", "EARSHOT_BASE_URL", "EARSHOT_SECRET", "EARSHOT_SIGNUP", "EARSHOT_DRAIN", "EARSHOT_LIMITS",
		"EARSHOT_TRUSTED_PROXIES", "EARSHOT_ADMIN_EMAIL", "EARSHOT_ADMIN_PASSWORD_FILE", "EARSHOT_DATABASE_URL", "EARSHOT_LOG_LEVEL", "EARSHOT_SMTP_URL",
		"EARSHOT_MAIL_FROM", "EARSHOT_OIDC_ISSUER", "EARSHOT_NATS_URL",
	} {
		if !strings.Contains(stderr, name) {
			t.Errorf("%s is not named in:\n%s", name, stderr)
		}
	}
	if strings.Contains(stderr, "sEcret") {
		t.Errorf("a password is in:\n%s", stderr)
	}
}

// TestFailsBeforeItChangesAnything starts the server where it cannot run: one
// line, exit code 1, and the data folder as it was.
func TestFailsBeforeItChangesAnything(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = taken.Close() }()
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	newer := newerDatabase(t)
	missing := filepath.Join(t.TempDir(), "data")
	for _, tc := range []struct {
		name, data, want string
		args             []string
	}{
		{"occupied port", missing, "address already in use", []string{"--addr", taken.Addr().String()}},
		{"data folder is a file", file, "data folder", []string{"--addr", "127.0.0.1:0"}},
		{"newer database", newer, "use a newer earshot", []string{"--addr", "127.0.0.1:0"}},
		{"demo on a newer database", newer, "use a newer earshot", []string{"--addr", "127.0.0.1:0", "--demo"}},
		{"a database without its secret", bareDatabase(t), "not the secret that belongs to it", []string{"--addr", "127.0.0.1:0"}},
		{"backup of nothing", missing, "no database", []string{"backup", filepath.Join(missing, "copy")}},
		{"password of nobody's database", missing, "no database", []string{"user", "reset-password", "a@example.com"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			before := listing(t, tc.data)
			code, _, stderr := execute(t, nil, append(tc.args, "--data", tc.data)...)
			if code != exitFailed || !strings.Contains(stderr, tc.want) || strings.Count(stderr, "\n") != 1 {
				t.Errorf("exit code %d and %q, want %d and one line with %q", code, stderr, exitFailed, tc.want)
			}
			if after := listing(t, tc.data); after != before {
				t.Errorf("the folder changed from\n%s\nto\n%s", before, after)
			}
		})
	}
}

// bareDatabase is a data folder with nothing but a database.
func bareDatabase(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	schema, err := store.OpenSchema(t.Context(), filepath.Join(dir, "earshot.db"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := schema.Up(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := schema.Close(); err != nil {
		t.Fatal(err)
	}
	return dir
}

func newerDatabase(t *testing.T) string {
	t.Helper()
	dir := bareDatabase(t)
	if err := os.WriteFile(filepath.Join(dir, "secret"), []byte(models.NewToken()+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	db, err := sql.Open("sqlite3", filepath.Join(dir, "earshot.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	if _, err := db.ExecContext(t.Context(), "INSERT INTO goose_db_version (version_id, is_applied) VALUES (99999, 1)"); err != nil {
		t.Fatal(err)
	}
	return dir
}

// listing is the folder's files with their content.
func listing(t *testing.T, dir string) string {
	t.Helper()
	var b strings.Builder
	_ = filepath.WalkDir(dir, func(path string, entry os.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		content, err := os.ReadFile(path)
		b.WriteString(path + " " + string(content) + "\n")
		return err
	})
	return b.String()
}

func TestDemoStaysOnLoopback(t *testing.T) {
	code, _, stderr := execute(t, nil, "--demo", "--addr", "0.0.0.0:0", "--data", t.TempDir())
	if code != exitUsage || !strings.Contains(stderr, "loopback") {
		t.Errorf("exit code %d, %q, want %d and a word on loopback", code, stderr, exitUsage)
	}
}

func TestDemoRefusesADatabaseInUse(t *testing.T) {
	dir := t.TempDir()
	if code, _, stderr := execute(t, nil, "user", "create", "ann@example.com", "--data", dir); code != exitOK {
		t.Fatal(stderr)
	}
	code, _, stderr := execute(t, nil, "--demo", "--addr", "127.0.0.1:0", "--data", dir)
	if code != exitFailed || !strings.Contains(stderr, "empty database") {
		t.Errorf("exit code %d, %q, want %d and a word on the empty database", code, stderr, exitFailed)
	}
}

func TestCommands(t *testing.T) {
	dir := t.TempDir()
	copied := filepath.Join(t.TempDir(), "copy.zip")
	for _, tc := range []struct {
		args string
		code int
		want string
	}{
		{"version", exitOK, "earshot dev "},
		{"print caddy", exitOK, "reverse_proxy"},
		{"print nothing", exitUsage, "grafana"},
		{"health --addr 127.0.0.1:1", exitFailed, "does not answer"},
		{"--help", exitOK, "EARSHOT_"},
		{"migrate up", exitOK, "applied"},
		{"migrate status", exitOK, "00001"},
		{"user create Ann@Example.com --name Ann", exitOK, "ann@example.com as owner"},
		{"user create bob@example.com --role viewer", exitOK, "bob@example.com as viewer"},
		{"user create bob@example.com", exitFailed, "already"},
		{"user create nobody", exitFailed, "e-mail address"},
		{"user reset-password ann@example.com", exitOK, "Password: "},
		{"user reset-password carl@example.com", exitFailed, "no user"},
		{"backup " + copied, exitOK, "checked"},
		{"backup " + copied, exitFailed, "exists already"},
		{"migrate down", exitOK, "Undone"},
		{"migrate sideways", exitUsage, "sideways"},
	} {
		t.Run(tc.args, func(t *testing.T) {
			code, stdout, stderr := execute(t, nil, append(strings.Fields(tc.args), "--data", dir)...)
			if code != tc.code || !strings.Contains(stdout+stderr, tc.want) {
				t.Errorf("exit code %d, output %q %q; want %d and %q", code, stdout, stderr, tc.code, tc.want)
			}
		})
	}
}

// starting is a server that a test started and will end.
type starting struct {
	addr, setup string
	stderr      *bytes.Buffer // whole once end has returned
	end         func()
}

// start runs the server until it prints its setup link, which it does while the
// data folder has no user.
func start(t *testing.T, dir string) starting {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := starting{addr: listener.Addr().String(), stderr: &bytes.Buffer{}}
	if err := listener.Close(); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	r, w := io.Pipe()
	done := make(chan int, 1)
	go func() {
		done <- run(ctx, []string{"--addr", s.addr, "--data", dir}, nil, w, s.stderr)
		_ = w.Close()
	}()
	s.end = sync.OnceFunc(func() {
		t.Helper()
		cancel()
		select {
		case code := <-done:
			if code != exitOK {
				t.Errorf("exit code is %d, want %d\n%s", code, exitOK, s.stderr)
			}
		case <-time.After(15 * time.Second):
			t.Fatal("the server did not end")
		}
	})
	t.Cleanup(s.end)
	lines := bufio.NewScanner(r)
	for s.setup == "" && lines.Scan() {
		if i := strings.Index(lines.Text(), "http"); i >= 0 && strings.Contains(lines.Text(), "/setup#token=") {
			s.setup = lines.Text()[i:]
		}
	}
	go func() { _, _ = io.Copy(io.Discard, r) }()
	if s.setup == "" {
		t.Fatal("no setup link was printed")
	}
	return s
}

// TestServesUntilItIsTold starts the server, asks it, and ends it.
func TestServesUntilItIsTold(t *testing.T) {
	s := start(t, t.TempDir())
	client := http.Client{Timeout: 5 * time.Second}
	response, err := client.Get("http://" + s.addr + "/readyz")
	if err != nil || response.Body.Close() != nil {
		t.Fatal(err)
	}
	if response.StatusCode != http.StatusOK {
		t.Errorf("/readyz answered %s", response.Status)
	}
	client.CloseIdleConnections()
	s.end()
}

// TestAStartCopiesTheDatabaseOnce counts the copies that starts keep: one where
// the schema changes under data, none where it is new or up to date.
func TestAStartCopiesTheDatabaseOnce(t *testing.T) {
	dir := t.TempDir()
	copies := func() int {
		t.Helper()
		found, err := filepath.Glob(filepath.Join(dir, "earshot.db.before-*"))
		if err != nil {
			t.Fatal(err)
		}
		return len(found)
	}
	for _, name := range []string{"first", "second"} {
		start(t, dir).end()
		if n := copies(); n != 0 {
			t.Fatalf("the %s start kept %d copies, want none", name, n)
		}
	}
	if code, _, stderr := execute(t, nil, "migrate", "down", "--data", dir); code != exitOK || copies() != 1 {
		t.Fatalf("migrate down: exit code %d, %d copies, want %d and one\n%s", code, copies(), exitOK, stderr)
	}
	_, status, _ := execute(t, nil, "migrate", "status", "--data", dir)
	want := 0
	if strings.Contains(status, "applied") { // what is left of the schema may hold data
		want = 1
	}
	s := start(t, dir)
	s.end()
	if n := copies() - 1; n != want {
		t.Errorf("the start that migrated kept %d copies, want %d", n, want)
	}
	if n := strings.Count(s.stderr.String(), "was copied before"); n != want {
		t.Errorf("the copy is told of %d times, want %d:\n%s", n, want, s.stderr)
	}
}

// The commands work on PostgreSQL as they do on a file, and what is wrong is said in
// one line without the password.
func TestCommandsOnPostgres(t *testing.T) {
	if wanted, _, err := postgrestest.Wanted(); err != nil || !wanted {
		if err != nil {
			t.Fatal(err)
		}
		t.Skip("there is no PostgreSQL server")
	}
	database := postgrestest.Database(t, "", nil)
	env := map[string]string{
		"EARSHOT_DATABASE_URL": database, "EARSHOT_DATA": filepath.Join(t.TempDir(), "data"), "EARSHOT_SECRET": strings.Repeat("s", 32),
	}
	for _, tc := range []struct {
		args []string
		want string
		code int
	}{
		{[]string{"user", "create", "a@example.com", "--organization", "Shop"}, "", exitOK},
		{[]string{"migrate", "up"}, "applied", exitOK},
		{[]string{"migrate", "status"}, "00020_init.sql", exitOK},
		{[]string{"user", "reset-password", "a@example.com"}, "", exitOK},
		{[]string{"user", "reset-password", "nobody@example.com"}, "", exitFailed},
		{[]string{"audit", "verify"}, "", exitOK},
		{[]string{"doctor"}, "opens, schema version", exitFailed}, // a test's server has fsync off
		{[]string{"doctor"}, "fsync = off", exitFailed},
		{[]string{"backup", filepath.Join(t.TempDir(), "copy")}, "pg_dump", exitFailed},
		{[]string{"migrate", "down"}, "pg_dump --format=custom, and say --copied", exitFailed},
		{[]string{"migrate", "down", "--copied"}, "Undone: 21", exitOK},
		{[]string{"migrate", "up"}, "applied", exitOK},
	} {
		code, stdout, stderr := execute(t, env, tc.args...)
		if code != tc.code || !strings.Contains(stdout+stderr, tc.want) {
			t.Errorf("%v: exit code %d\n%s%s\nwant %d and %q", tc.args, code, stdout, stderr, tc.code, tc.want)
		}
	}
	s, err := store.Open(t.Context(), store.Options{Path: database, Log: slog.New(slog.DiscardHandler), Beside: true})
	if err != nil {
		t.Fatal(err)
	}
	_, err = s.UserByEmail(t.Context(), "a@example.com")
	if err := errors.Join(err, s.Close()); err != nil {
		t.Errorf("the user that was created: %v", err)
	}

	env["EARSHOT_DATABASE_URL"] = "postgres://us:sEcret@127.0.0.1:1/earshot"
	code, _, stderr := execute(t, env, "migrate", "status")
	if code != exitFailed || !strings.Contains(stderr, "cannot be reached") || strings.Contains(stderr, "sEcret") || strings.Count(stderr, "\n") != 1 {
		t.Errorf("nobody there: exit code %d and %q, want one line", code, stderr)
	}
	delete(env, "EARSHOT_SECRET")
	if code, _, stderr := execute(t, env, "migrate", "status"); code != exitUsage || !strings.Contains(stderr, "EARSHOT_SECRET: must be set with EARSHOT_DATABASE_URL") {
		t.Errorf("without a secret: exit code %d and %q", code, stderr)
	}
}

// A setting that is misspelt is named: what was meant by it does not happen.
func TestMisspeltSettingIsNamed(t *testing.T) {
	code, _, stderr := execute(t, map[string]string{
		"EARSHOT_BASEURL": "https://feedback.example.com", "EARSHOT_SMTP_URL_FILE": "", "EARSHOT_TEST_SPEED": "1", "EARSHOT_LOG_LEVEL": "warn",
		"EARSHOT_BACKUP_PASSPHRASE": "",
	}, "doctor", "--data", filepath.Join(t.TempDir(), "none"))
	if strings.Count(stderr, "is no setting") != 1 || !strings.Contains(stderr, "EARSHOT_BASEURL is no setting") {
		t.Errorf("exit code %d and %q, want EARSHOT_BASEURL alone named", code, stderr)
	}
}

// What is set where a unit is printed is named in it, and its folders can be written to.
func TestPrintedUnitFollowsTheSettings(t *testing.T) {
	secret := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(secret, []byte("sEcret that is long enough for all"), 0o600); err != nil {
		t.Fatal(err)
	}
	code, unit, stderr := execute(t, map[string]string{
		"EARSHOT_DATABASE_URL": "postgres://us:sEcret@db/earshot", "EARSHOT_NATS_URL": "nats://us:sEcret@nats", "EARSHOT_SECRET_FILE": secret,
		"EARSHOT_BLOB_URL": "file:///srv/files", "EARSHOT_BASE_URL": "https://ears.example.org", "EARSHOT_DRAIN": "10s",
	}, "print", "systemd", "--smtp-url", "smtp://us:sEcret@mail.example.com")
	if code != exitOK || strings.Contains(unit, "sEcret") {
		t.Fatalf("exit code %d, %s\n%s", code, stderr, unit)
	}
	for _, want := range []string{"EARSHOT_DATABASE_URL", "EARSHOT_NATS_URL", "EARSHOT_SECRET", "EARSHOT_BLOB_URL", "EARSHOT_SMTP_URL"} {
		if strings.Count(unit, "\n#   "+want+"\n") != 1 {
			t.Errorf("%s is not named in:\n%s", want, unit)
		}
	}
	if strings.Contains(unit, "EARSHOT_DRAIN") || !strings.Contains(unit, "\nReadWritePaths=/srv/files\n") {
		t.Errorf("it is\n%s", unit)
	}
	_, unit, _ = execute(t, map[string]string{
		"EARSHOT_BACKUP_URL": "s3://b?endpoint=https://s3.example.com", "AWS_ACCESS_KEY_ID": "us", "AWS_SECRET_ACCESS_KEY": "sEcret",
	}, "print", "systemd")
	if !strings.Contains(unit, "\n#   AWS_SECRET_ACCESS_KEY\n") || strings.Contains(unit, "sEcret") || strings.Contains(unit, "ReadWritePaths") {
		t.Errorf("it is\n%s", unit)
	}
}
