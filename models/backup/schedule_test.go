package backup_test

import (
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"earshot/models/backup"
	"earshot/models/blob"
)

// awaitThat waits until something holds.
func awaitThat(t *testing.T, what string, holds func() bool) {
	t.Helper()
	for end := time.Now().Add(20 * time.Second); !holds(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("not in 20 s: %s", what)
		}
	}
}

func namesIn(t *testing.T, s blob.Store) (names []string) {
	t.Helper()
	for entry, err := range s.List(t.Context(), "") {
		if err != nil {
			t.Fatal(err)
		}
		names = append(names, entry.Name)
	}
	slices.Sort(names)
	return names
}

func TestScheduledBackups(t *testing.T) {
	i := install(t, nil)
	i.submit(t, "kept", "a file")
	place := t.TempDir()
	to := openBlobs(t, blob.Location{Folder: place}, blob.Credentials{})
	if err := os.WriteFile(filepath.Join(place, "monday.zip"), []byte("somebody else's"), 0o600); err != nil {
		t.Fatal(err)
	}
	var clock atomic.Int64
	clock.Store(time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC).Unix())
	source := i.source(t)
	source.Passphrase = "" // sealing takes its time, and is tested elsewhere
	source.Now = func() time.Time { return time.Unix(clock.Load(), 0) }
	plan := backup.Plan{Source: source, To: to, Every: time.Hour, Keep: 2, Data: i.dir, Log: quiet()}
	// again is a server that is started anew.
	again := func(want ...string) {
		t.Helper()
		s := backup.Start(plan)
		defer s.Stop()
		awaitThat(t, "the backups are those that are wanted", func() bool { return slices.Equal(namesIn(t, to), want) })
		time.Sleep(100 * time.Millisecond)
		if got := namesIn(t, to); !slices.Equal(got, want) {
			t.Fatalf("there are %q, want %q", got, want)
		}
		if newest, at, err := backup.Newest(t.Context(), to); err != nil || newest.Name != want[len(want)-2] || !at.Equal(s.Last()) || s.Failed() != 0 {
			t.Errorf("the newest is %q of %v (%v), the last %v, and %d failed", newest.Name, at, err, s.Last(), s.Failed())
		}
	}
	again("earshot-20260301T120000Z.zip", "monday.zip")
	clock.Add(59 * 60)
	again("earshot-20260301T120000Z.zip", "monday.zip")
	clock.Add(60)
	again("earshot-20260301T120000Z.zip", "earshot-20260301T130000Z.zip", "monday.zip")
	clock.Add(5 * 3600)
	again("earshot-20260301T130000Z.zip", "earshot-20260301T180000Z.zip", "monday.zip")

	archive, err := backup.Open(filepath.Join(place, "earshot-20260301T180000Z.zip"))
	if err != nil {
		t.Fatal(err)
	}
	if err := archive.Close(); err != nil {
		t.Error(err)
	}
	if len(archive.Manifest.Parts) != 2 || len(archive.Manifest.Lost) != 0 {
		t.Errorf("the backup has %+v, want the database and the file", archive.Manifest)
	}
	if _, err := os.Stat(filepath.Join(i.dir, ".earshot-backups")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the folder in which backups are made is left: %v", err)
	}
}

// full is a place that has no room until it is made.
type full struct {
	blob.Store
	room *atomic.Bool
}

func (f full) Put(ctx context.Context, name string, content io.Reader, size int64) error {
	if !f.room.Load() {
		return errors.New("there is no room")
	}
	return f.Store.Put(ctx, name, content, size)
}

// A backup that fails is tried again, and takes no older one with it.
func TestScheduledBackupsThatFail(t *testing.T) {
	i := install(t, nil)
	place := openBlobs(t, blob.Location{Folder: t.TempDir()}, blob.Credentials{})
	room := &atomic.Bool{}
	source := i.source(t)
	source.Passphrase = ""
	s := backup.Start(backup.Plan{
		Source: source, To: full{place, room}, Every: time.Hour, Keep: 1, Data: i.dir, Log: quiet(), Retry: 20 * time.Millisecond,
	})
	defer s.Stop()
	awaitThat(t, "two attempts fail", func() bool { return s.Failed() >= 2 })
	if got := namesIn(t, place); len(got) != 0 || !s.Last().IsZero() {
		t.Errorf("there is %q, and the last is of %v", got, s.Last())
	}
	room.Store(true)
	awaitThat(t, "there is a backup", func() bool { return len(namesIn(t, place)) == 1 && !s.Last().IsZero() })
}

// forever is a place that nothing can be removed from.
type forever struct{ blob.Store }

func (forever) Delete(context.Context, string) error { return errors.New("not allowed") }

// Where old backups cannot be removed, new ones are made no sooner for that.
func TestScheduledBackupsThatStay(t *testing.T) {
	i := install(t, nil)
	place := openBlobs(t, blob.Location{Folder: t.TempDir()}, blob.Credentials{})
	if err := place.Put(t.Context(), "earshot-20200101T000000Z.zip", strings.NewReader("old"), 3); err != nil {
		t.Fatal(err)
	}
	source := i.source(t)
	source.Passphrase = ""
	s := backup.Start(backup.Plan{
		Source: source, To: forever{place}, Every: time.Hour, Keep: 1, Data: i.dir, Log: quiet(), Retry: 20 * time.Millisecond,
	})
	defer s.Stop()
	awaitThat(t, "the old one cannot be removed", func() bool { return s.Failed() == 1 })
	time.Sleep(time.Second)
	if got := namesIn(t, place); len(got) != 2 || s.Failed() != 1 {
		t.Errorf("there are %q after %d failures", got, s.Failed())
	}
}

// A backup that seems to be from the future, by a clock that went back, puts off the
// next one by no more than the time between two.
func TestScheduledBackupsAfterAClockThatWentBack(t *testing.T) {
	i := install(t, nil)
	place := openBlobs(t, blob.Location{Folder: t.TempDir()}, blob.Credentials{})
	if err := place.Put(t.Context(), "earshot-21000101T000000Z.zip", strings.NewReader("from the future"), 15); err != nil {
		t.Fatal(err)
	}
	source := i.source(t)
	source.Passphrase = ""
	s := backup.Start(backup.Plan{
		Source: source, To: place, Every: time.Second, Keep: 9, Data: i.dir, Log: quiet(),
	})
	defer s.Stop()
	awaitThat(t, "there is another", func() bool { return len(namesIn(t, place)) > 1 })
}
