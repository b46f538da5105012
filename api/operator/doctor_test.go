package operator

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"earshot/api/config"
	"earshot/models/blob"
	"earshot/models/mail"
	"earshot/models/mail/mailtest"
)

// patient is an installation that all is well with.
func patient(t *testing.T) Doctor {
	t.Helper()
	d := Data{Dir: filepath.Join(t.TempDir(), "data"), Out: io.Discard, Log: slog.New(slog.DiscardHandler)}
	if err := errors.Join(d.Prepare(), d.Migrate(t.Context())); err != nil {
		t.Fatal(err)
	}
	if _, err := d.Secret(); err != nil {
		t.Fatal(err)
	}
	return Doctor{
		Data: d, Config: config.Config{Addr: "127.0.0.1:1"}, Version: "test", Now: time.Now,
		Stores: config.Stores{Backups: &blob.Location{Folder: backups(t, time.Hour)}, Every: 24 * time.Hour, Passphrase: "a passphrase for tests"},
	}
}

// backups is a folder with a backup of some age in it.
func backups(t *testing.T, age time.Duration) string {
	t.Helper()
	folder := t.TempDir()
	put(t, filepath.Join(folder, time.Now().Add(-age).UTC().Format("earshot-20060102T150405Z.zip")), "looked at by name alone")
	return folder
}

// change runs SQL in the patient's database.
func change(t *testing.T, d Doctor, statement string) {
	t.Helper()
	db, err := sql.Open("sqlite3", d.Path())
	if err == nil {
		_, err = db.ExecContext(t.Context(), statement)
	}
	if err = errors.Join(err, db.Close()); err != nil {
		t.Fatal(err)
	}
}

func TestDoctorFindsWhatIsWrong(t *testing.T) {
	for _, tc := range []struct {
		name  string
		spoil func(t *testing.T, d *Doctor)
		// check has status, and what it says has want; "" where all is well.
		check  string
		status Status
		want   string
	}{
		{"nothing", func(*testing.T, *Doctor) {}, "", "", ""},
		{"nothing there yet", func(t *testing.T, d *Doctor) { d.Dir = filepath.Join(t.TempDir(), "none") }, "data folder", Warning, "not there yet"},
		{"a file for a folder", func(t *testing.T, d *Doctor) { d.Dir = d.Path() }, "data folder", Bad, "not a folder"},
		{"an open folder", func(t *testing.T, d *Doctor) { chmod(t, d.Dir, 0o755) }, "data folder", Warning, "0755"},
		{"an open secret", func(t *testing.T, d *Doctor) { chmod(t, filepath.Join(d.Dir, secretFile), 0o644) }, "data folder", Bad, "secret"},
		{"a lost secret", func(t *testing.T, d *Doctor) { remove(t, filepath.Join(d.Dir, secretFile)) }, "secret", Bad, "not its secret"},
		{"a short secret", func(t *testing.T, d *Doctor) { put(t, filepath.Join(d.Dir, secretFile), "short") }, "secret", Bad, "too short"},
		{"a secret of no worth", func(_ *testing.T, d *Doctor) { d.Configured = strings.Repeat("x", 40) }, "secret", Bad, "over and over"},
		{"a newer schema", func(t *testing.T, d *Doctor) {
			change(t, *d, "INSERT INTO goose_db_version (version_id, is_applied) VALUES (99999, 1)")
		}, "database", Bad, "version 99999"},
		{"an older schema", func(t *testing.T, d *Doctor) {
			change(t, *d, "DELETE FROM goose_db_version WHERE version_id = (SELECT MAX(version_id) FROM goose_db_version)")
		}, "database", Warning, "of "},
		{"a damaged database", damageDatabase, "database", Bad, "damaged"},
		{"no database at all", func(t *testing.T, d *Doctor) { put(t, d.Path(), strings.Repeat("no database ", 1000)) }, "database", Bad, "not a database"},
		{"a clock that was never set", func(_ *testing.T, d *Doctor) { d.Now = func() time.Time { return time.Unix(3600, 0) } }, "clock", Bad, "1970"},
		{"a clock that went back", func(t *testing.T, d *Doctor) {
			change(t, *d, "PRAGMA foreign_keys = off; INSERT INTO events (project_id, seq, type, feedback_id, at) VALUES ('p', 1, 'x', 'f', "+
				"(unixepoch() + 3600) * 1000)")
		}, "clock", Bad, "behind"},
		{"settings", func(_ *testing.T, d *Doctor) { d.Problems = []error{errors.New("EARSHOT_ADDR: is wrong")} }, "settings", Bad, "EARSHOT_ADDR"},
		{"no limits", func(_ *testing.T, d *Doctor) { d.Config.Unlimited = true }, "settings", Warning, "EARSHOT_LIMITS"},
		{"no TLS", func(_ *testing.T, d *Doctor) { d.Config.BaseURL = "http://nobody.invalid" }, "settings", Warning, "in the clear"},
		{"no backups", func(_ *testing.T, d *Doctor) { d.Stores.Backups = nil }, "backups", Warning, "none"},
		{"none yet", func(t *testing.T, d *Doctor) { d.Stores.Backups.Folder = t.TempDir() }, "backups", Warning, "none in"},
		{"an old backup", func(t *testing.T, d *Doctor) { d.Stores.Backups.Folder = backups(t, 49*time.Hour) }, "backups", Bad, "49h"},
		{"a place for backups that is not there", func(t *testing.T, d *Doctor) {
			d.Stores.Backups.Folder = filepath.Join(d.Path(), "none")
		}, "backups", Bad, "not a directory"},
		{"a place for backups that is not there yet", func(t *testing.T, d *Doctor) {
			d.Stores.Backups.Folder = filepath.Join(d.Dir, "none")
		}, "backups", Warning, "not there yet"},
		{"backups without the secret", func(_ *testing.T, d *Doctor) { d.Stores.Passphrase = "" }, "backups", Warning, "secret"},
		{"no mail server", func(_ *testing.T, d *Doctor) {
			d.Config.SMTP = &mail.Server{Host: "127.0.0.1", Port: 1, Security: mail.SecurityNone}
		}, "mail", Bad, "127.0.0.1:1"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			d := patient(t)
			tc.spoil(t, &d)
			before := listed(t, d.Dir)
			seen := false
			for _, finding := range d.Examine(t.Context()) {
				if finding.Check == tc.check && finding.Status == tc.status && strings.Contains(finding.Found, tc.want) {
					seen = true
					if finding.Advice == "" {
						t.Errorf("%+v has no advice", finding)
					}
				} else if tc.check == "" && (finding.Status == Bad || finding.Status == Warning) {
					t.Errorf("%+v, and nothing is wrong", finding)
				}
			}
			if !seen && tc.check != "" {
				t.Errorf("found %+v, want %s of %s with %q", d.Examine(t.Context()), tc.status, tc.check, tc.want)
			}
			if after := listed(t, d.Dir); after != before {
				t.Errorf("the folder had %s and has %s", before, after)
			}
		})
	}
}

// damageDatabase overwrites pages in the middle.
func damageDatabase(t *testing.T, d *Doctor) {
	t.Helper()
	content, err := os.ReadFile(d.Path())
	if err != nil {
		t.Fatal(err)
	}
	for i := len(content) / 2; i < len(content)/2+3*4096; i++ {
		content[i] = 0xa5
	}
	put(t, d.Path(), string(content))
}

func chmod(t *testing.T, path string, mode os.FileMode) {
	t.Helper()
	if err := os.Chmod(path, mode); err != nil {
		t.Fatal(err)
	}
}

func remove(t *testing.T, path string) {
	t.Helper()
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
}

func put(t *testing.T, path, content string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
}

// listed is the names in a folder, without what SQLite puts beside a database that
// is open.
func listed(t *testing.T, folder string) string {
	t.Helper()
	entries, err := os.ReadDir(folder)
	if err != nil {
		return err.Error()
	}
	var names []string
	for _, entry := range entries {
		if !strings.HasSuffix(entry.Name(), "-wal") && !strings.HasSuffix(entry.Name(), "-shm") {
			names = append(names, entry.Name())
		}
	}
	return strings.Join(names, " ")
}

// A mail server that takes the password is fine, one that does not is not; no mail is
// sent to see that.
func TestDoctorTriesTheMailServer(t *testing.T) {
	office := mailtest.Open(t, func(o *mailtest.Office) { o.Password = "secret" })
	host, port, err := net.SplitHostPort(office.Address)
	if err != nil {
		t.Fatal(err)
	}
	number, err := strconv.Atoi(port)
	if err != nil {
		t.Fatal(err)
	}
	for password, want := range map[string]Status{"secret": Fine, "another": Bad} {
		d := patient(t)
		d.Config.MailFrom.Address = "no-reply@example.com"
		d.Config.SMTP = &mail.Server{Host: host, Port: number, User: "us", Password: password, Security: mail.SecurityNone}
		found := d.checkMail(t.Context())
		if found[0].Status != want || strings.Contains(found[0].Found, password+"\n") {
			t.Errorf("with the password %q: %+v, want %s", password, found, want)
		}
	}
	if got := office.Got(); len(got) > 0 {
		t.Errorf("mails were sent: %v", got)
	}
}

func TestDoctorReports(t *testing.T) {
	d := patient(t)
	var out bytes.Buffer
	d.Out = &out
	if err := d.Run(t.Context(), false, false); err != nil || strings.Contains(out.String(), "\x1b") || !strings.Contains(out.String(), "✓ settings") {
		t.Errorf("%v\n%s", err, out.String())
	}
	out.Reset()
	if err := d.Run(t.Context(), false, true); err != nil || !strings.Contains(out.String(), "\x1b[32m✓\x1b[0m settings") {
		t.Errorf("%v\n%q", err, out.String())
	}
	out.Reset()
	d.Problems = []error{errors.New("one"), errors.New("another")}
	err := d.Run(context.Background(), true, true)
	var read struct {
		Version  string
		OK       bool
		Findings []Finding
	}
	if err == nil || !strings.Contains(err.Error(), "2 problems") || json.Unmarshal(out.Bytes(), &read) != nil || read.OK || len(read.Findings) < 8 {
		t.Errorf("%v\n%s", err, out.String())
	}
	if Colors(func(string) string { return "" }, &out) {
		t.Error("a buffer is no terminal")
	}
}
