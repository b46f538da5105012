package operator

import (
	"database/sql"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"

	"earshot/models/blob"
	"earshot/models/blob/blobtest"
	"earshot/models/store/postgrestest"
	"earshot/realtime/cluster/natstest"
)

// broker starts a NATS server; a password has it let nobody in without.
func broker(t *testing.T, password string) (address string) {
	t.Helper()
	nats := natstest.New(t, func(o *server.Options) {
		if password != "" {
			o.Username, o.Password = "us", password
		}
	})
	return nats.Addr().String()
}

// nobody is an address where nobody listens.
func nobody(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = listener.Close() }()
	return listener.Addr().String()
}

// says fails where a finding is not of that status and kind, or has no advice.
func says(t *testing.T, found Finding, status Status, want string) {
	t.Helper()
	if found.Status != status || !strings.Contains(strings.ToLower(found.Found), strings.ToLower(want)) || strings.Contains(found.Found+found.Advice, "sEcret") ||
		(found.Advice == "") == (status == Bad || status == Warning) {
		t.Errorf("found %+v, want %s with %q", found, status, want)
	}
}

func TestDoctorTriesNATS(t *testing.T) {
	open, locked, gone := broker(t, ""), broker(t, "another"), nobody(t)
	for _, tc := range []struct {
		name, url string
		status    []Status
		want      string // in the last one
	}{
		{"none", "", []Status{Skipped}, "this server is alone"},
		{"one that answers", "nats://" + open, []Status{Fine}, "nats://" + open + " answers in"},
		{"one with another password", "nats://us:sEcret@" + locked, []Status{Bad}, "authorization violation"},
		{"nobody", "nats://us:sEcret@" + gone, []Status{Bad}, "connection refused"},
		{"one of two", "nats://" + open + ",nats://sEcret@" + gone, []Status{Fine, Warning}, "connection refused"},
		{"none of two", "nats://" + gone + ",nats://us:sEcret@" + locked, []Status{Bad, Bad}, "does not let us in"},
		{"no address", "redis://us:sEcret@h", []Status{Skipped}, "not valid"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			d := patient(t)
			d.Config.NATS = tc.url
			found := d.checkNATS(t.Context())
			if len(found) != len(tc.status) {
				t.Fatalf("found %+v", found)
			}
			for i, status := range tc.status {
				want := tc.want
				if i < len(tc.status)-1 {
					want = ""
				}
				says(t, found[i], status, want)
			}
		})
	}
	if d := patient(t); true {
		d.Config.NATS = "nats://" + open
		if found := d.checkNATS(t.Context()); !strings.Contains(found[0].Found, "version "+server.VERSION) {
			t.Errorf("found %+v, want the version %s", found, server.VERSION)
		}
	}
}

func TestDoctorLooksForFiles(t *testing.T) {
	bucket := blobtest.Start(t)
	broken := blobtest.Start(t)
	broken.Refuse(true)
	elsewhere := *bucket.Location.Bucket
	elsewhere.Name = "another"
	folder := t.TempDir()
	half := filepath.Join(folder, "x.1.half") // of a server that ended long ago
	put(t, half, "x")
	if err := os.Chtimes(half, time.Time{}, time.Now().Add(-48*time.Hour)); err != nil {
		t.Fatal(err)
	}
	for _, tc := range []struct {
		name   string
		at     blob.Location
		nats   string
		status Status
		want   string
	}{
		{"in the data folder", blob.Location{}, "", Skipped, "in the data folder"},
		{"in the data folder of one of several", blob.Location{}, "nats://h", Warning, "this server's disk alone"},
		{"a folder", blob.Location{Folder: folder}, "nats://h", Fine, "listed and written to"},
		{"a folder that is not there", blob.Location{Folder: filepath.Join(folder, "mnt")}, "", Warning, "would make it"},
		{"a file", blob.Location{Folder: half}, "", Bad, "not a folder"},
		{"in a file", blob.Location{Folder: filepath.Join(half, "x")}, "", Bad, "not a directory"},
		{"a bucket", bucket.Location, "", Fine, "s3://feedback/shop can be reached"},
		{"a bucket that is not there", blob.Location{Bucket: &elsewhere}, "", Bad, "does not exist"},
		{"a bucket that is not well", broken.Location, "", Bad, "cannot be reached"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			d := patient(t)
			d.Files, d.FilesCredentials, d.Config.NATS = tc.at, blobtest.Credentials, tc.nats
			found := d.checkFiles(t.Context())
			if len(found) != 1 {
				t.Fatalf("found %+v", found)
			}
			says(t, found[0], tc.status, tc.want)
			if got := listed(t, folder); got != filepath.Base(half) {
				t.Errorf("the folder has %q", got)
			}
		})
	}
	d := patient(t)
	d.Files, d.FilesCredentials = bucket.Location, blob.Credentials{AccessKey: "another", SecretKey: "sEcret"}
	says(t, d.checkFiles(t.Context())[0], Bad, "denied")
	d.Problems = []error{errors.New("EARSHOT_BLOB_URL: must begin with file:// or s3://")}
	says(t, d.checkFiles(t.Context())[0], Skipped, "not valid")
}

// onPostgres is a doctor of an empty database in PostgreSQL.
func onPostgres(t *testing.T) Doctor {
	t.Helper()
	wanted, _, err := postgrestest.Wanted()
	if err != nil {
		t.Fatal(err)
	}
	if !wanted {
		t.Skip("there is no PostgreSQL; EARSHOT_TEST_POSTGRES=required makes this a failure")
	}
	d := patient(t)
	d.Database, d.Configured = postgrestest.Database(t, "", nil), strings.Repeat("a secret", 5)
	return d
}

// The doctor finds a schema in PostgreSQL well where the server does.
func TestDoctorJudgesASchemaAsTheServerDoes(t *testing.T) {
	d := onPostgres(t)
	schema := func() Finding {
		t.Helper()
		for _, finding := range d.checkDatabase(t.Context()) {
			if strings.Contains(finding.Found, "version") || strings.Contains(finding.Found, "tables") {
				return finding
			}
		}
		t.Fatalf("nothing is said of the schema: %+v", d.checkDatabase(t.Context()))
		return Finding{}
	}
	says(t, schema(), Skipped, "no tables yet")
	if err := d.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	says(t, schema(), Fine, "opens")
	if err := d.MigrateDown(t.Context(), true); err != nil {
		t.Fatal(err)
	}
	older := schema()
	says(t, older, Warning, "of ")
	if !strings.Contains(older.Advice, "pg_dump") || strings.Contains(older.Advice, "after a copy") {
		t.Errorf("the advice is %q", older.Advice)
	}
	if err := d.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	db, err := sql.Open("pgx", d.Database)
	if err == nil {
		_, err = db.ExecContext(t.Context(), "DROP TABLE messages CASCADE")
	}
	if err := errors.Join(err, db.Close()); err != nil {
		t.Fatal(err)
	}
	found, refused := schema(), d.Migrate(t.Context())
	says(t, found, Bad, `has no table "messages"`)
	if fmt.Sprint(refused) != found.Found {
		t.Errorf("the server says %v, the doctor %q", refused, found.Found)
	}
}

func TestDoctorFindsLimitsThatAreTooLow(t *testing.T) {
	d := onPostgres(t)
	limits := func() (low []Finding) {
		t.Helper()
		for _, finding := range d.checkDatabase(t.Context()) {
			if strings.Contains(finding.Found, "a server needs") {
				low = append(low, finding)
			}
		}
		return low
	}
	if low := limits(); len(low) > 0 {
		t.Errorf("of one who has no limit it says %+v", low)
	}
	db, err := sql.Open("pgx", d.Database)
	if err == nil {
		_, err = db.ExecContext(t.Context(), "CREATE ROLE limited LOGIN CONNECTION LIMIT 3; GRANT ALL ON SCHEMA public TO limited")
	}
	if err := errors.Join(err, db.Close()); err != nil {
		t.Fatal(err)
	}
	d.Database = strings.Replace(d.Database, "postgres@", "limited@", 1)
	low := limits()
	if len(low) != 1 {
		t.Fatalf("it says %+v", low)
	}
	says(t, low[0], Warning, "the role's CONNECTION LIMIT lets in 3 connections")
}
