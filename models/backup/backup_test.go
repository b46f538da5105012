package backup_test

import (
	"context"
	"errors"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"earshot/models"
	"earshot/models/attachments"
	"earshot/models/backup"
	"earshot/models/blob"
	"earshot/models/blob/blobtest"
)

// TestBackupAndBack: what was there comes back, with another epoch, wherever files are
// kept.
func TestBackupAndBack(t *testing.T) {
	for _, kind := range []string{"folder", "bucket"} {
		t.Run(kind, func(t *testing.T) {
			var files, back blob.Store
			if kind == "bucket" {
				files = openBlobs(t, blobtest.Start(t).Location, blobtest.Credentials)
				back = openBlobs(t, blobtest.Start(t).Location, blobtest.Credentials)
			}
			from := install(t, files)
			item, file := from.submit(t, "with a file", "content of a file")
			from.submit(t, "without", "")
			unclaimed := from.attach(t, "not sent yet")
			export := "exports/" + string(models.NewID()) + ".csv"
			if err := errors.Join(os.MkdirAll(filepath.Join(from.dir, "exports"), 0o700), os.WriteFile(filepath.Join(from.dir, export), []byte("a,b"), 0o600)); err != nil {
				t.Fatal(err)
			}
			epoch := from.store.Epoch()
			path, m := write(t, from.source(t))
			from.submit(t, "after the backup", "later")
			if m.Epoch != epoch || m.Heads[from.project.ID] != 2 || !m.Sealed || len(m.Parts) != 4 || len(m.Lost)+len(m.Erased) != 0 {
				t.Errorf("the manifest is %+v", m)
			}
			if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
				t.Errorf("the backup is %v (%v), want mode 0600: it has everybody's feedback in it", info, err)
			}

			dir := t.TempDir()
			r, err := restore(t.Context(), path, backup.Target{Folder: dir, Files: back, Passphrase: passphrase})
			if err != nil || !r.Secret || r.Aside != "" {
				t.Fatalf("restored %+v (%v)", r, err)
			}
			if back == nil {
				back = openBlobs(t, blob.Location{Folder: dir}, blob.Credentials{})
			}
			for name, want := range map[string]string{attachments.Name(file): "content of a file", attachments.Name(unclaimed): "not sent yet"} {
				if got := readBlob(t, back, name); got != want {
					t.Errorf("%s is %q, want %q", name, got, want)
				}
			}
			there := listing(t, dir)
			if there[export] != "a,b" || there["secret"] != string(secret)+"\n" {
				t.Errorf("the export is %q, the secret %q", there[export], there["secret"])
			}
			for name := range there {
				info, err := os.Stat(filepath.Join(dir, name))
				if want := map[bool]os.FileMode{true: 0o700, false: 0o600}[info.IsDir()]; err != nil || info.Mode().Perm() != want {
					t.Errorf("%s has mode %v (%v), want %v", name, info.Mode(), err, want)
				}
			}
			s := openStore(t, dir)
			if s.Epoch() == epoch || s.Epoch() == "" {
				t.Errorf("the epoch is %q, want another than %q", s.Epoch(), epoch)
			}
			log, err := s.ReadLog(t.Context(), from.scope, from.project.ID, 0, 10)
			if err != nil || len(log) != 2 || log[0].FeedbackID != item {
				t.Errorf("the log is %+v (%v), want the two items from before", log, err)
			}
		})
	}
}

func readBlob(t *testing.T, s blob.Store, name string) string {
	t.Helper()
	content, err := s.Open(t.Context(), name)
	if err != nil {
		return err.Error()
	}
	got, err := io.ReadAll(content)
	if err := errors.Join(err, content.Close()); err != nil {
		t.Fatal(err)
	}
	return string(got)
}

// erasing is a blob store whose contents are erased, or lost, just before they are read.
type erasing struct {
	blob.Store
	before func(name string)
}

func (e erasing) Open(ctx context.Context, name string) (*blob.Content, error) {
	e.before(name)
	return e.Store.Open(ctx, name)
}

func TestFilesThatGoMeanwhile(t *testing.T) {
	i := install(t, nil)
	item, erased := i.submit(t, "erased meanwhile", "erased")
	_, lost := i.submit(t, "lost by the disk", "lost")
	_, short := i.submit(t, "cut off by the disk", "whole")
	_, kept := i.submit(t, "kept", "kept")
	if err := os.WriteFile(filepath.Join(i.dir, attachments.Name(short)), []byte("who"), 0o600); err != nil {
		t.Fatal(err)
	}
	from := i.source(t)
	from.Files = erasing{i.files, func(name string) {
		switch name {
		case attachments.Name(erased):
			if err := errors.Join(i.store.Erase(t.Context(), i.scope, item), i.files.Delete(t.Context(), name)); err != nil {
				t.Error(err)
			}
		case attachments.Name(lost):
			if err := i.files.Delete(t.Context(), name); err != nil {
				t.Error(err)
			}
		}
	}}
	path, m := write(t, from)
	if !slices.Equal(m.Erased, []models.ID{erased}) || !slices.Equal(m.Lost, []models.ID{lost, short}) || len(m.Parts) != 2 || m.Parts[1].Name != attachments.Name(kept) {
		t.Errorf("the manifest is %+v", m)
	}
	if _, err := restore(t.Context(), path, backup.Target{Folder: t.TempDir(), Passphrase: passphrase}); err != nil {
		t.Errorf("restore: %v", err)
	}
}

// A bucket that does not answer ends a backup; there is no backup with holes.
func TestBackupNeedsItsFiles(t *testing.T) {
	bucket := blobtest.Start(t)
	i := install(t, openBlobs(t, bucket.Location, blobtest.Credentials))
	i.submit(t, "with a file", "content")
	bucket.Refuse(true)
	dir := t.TempDir()
	if _, err := backup.Write(t.Context(), i.source(t), filepath.Join(dir, "b.zip")); models.CodeOf(err) != models.CodeUnavailable {
		t.Errorf("the backup ends with %v, want unavailable", err)
	}
	if left := listing(t, dir); len(left) != 0 {
		t.Errorf("left behind: %v", slices.Collect(maps.Keys(left)))
	}
}

func TestBackupLeavesNothingHalf(t *testing.T) {
	i := install(t, nil)
	i.submit(t, "with a file", strings.Repeat("content ", 1000))
	taken := filepath.Join(t.TempDir(), "taken.zip")
	if err := os.WriteFile(taken, []byte("another backup"), 0o600); err != nil {
		t.Fatal(err)
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	midway, stop := context.WithCancel(t.Context())
	defer stop()
	for _, tc := range []struct {
		name, target, want string
		ctx                context.Context
		files              blob.Store
	}{
		{"a file that is there", taken, "exists already", t.Context(), i.files},
		{"no folder", filepath.Join(t.TempDir(), "none", "b.zip"), "no such file", t.Context(), i.files},
		{"ended before", filepath.Join(t.TempDir(), "b.zip"), "interrupted", ended, i.files},
		{"ended in the middle", filepath.Join(t.TempDir(), "b.zip"), "canceled", midway, erasing{i.files, func(string) { stop() }}},
		{"a file that comes meanwhile", filepath.Join(t.TempDir(), "b.zip"), "exists already", t.Context(), nil},
	} {
		t.Run(tc.name, func(t *testing.T) {
			from := i.source(t)
			want := map[string]string{}
			if tc.target == taken {
				want["taken.zip"] = "another backup"
			}
			if from.Files = tc.files; from.Files == nil {
				from.Files = erasing{i.files, func(string) { _ = os.WriteFile(tc.target, []byte("theirs"), 0o600) }}
				want["b.zip"] = "theirs"
			}
			_, err := backup.Write(tc.ctx, from, tc.target)
			if err == nil || !strings.Contains(err.Error(), tc.want) && !errors.Is(err, context.Canceled) || strings.Contains(err.Error(), "\n") {
				t.Errorf("Write gives %v, want one line with %q", err, tc.want)
			}
			if _, err := os.Stat(filepath.Dir(tc.target)); err != nil {
				return
			}
			if left := listing(t, filepath.Dir(tc.target)); !maps.Equal(left, want) {
				t.Errorf("there is %v, want %v", left, want)
			}
		})
	}
}

// TestDiskFull makes a backup, and puts one back, where there is too little room.
func TestDiskFull(t *testing.T) {
	small := t.TempDir()
	mountSmall(t, small)
	i := install(t, nil)
	noise := make([]byte, 0, 2<<20)
	for len(noise) < 2<<20 {
		noise = append(noise, models.NewToken()...)
	}
	i.submit(t, "with a large file", string(noise))
	path, _ := write(t, i.source(t))
	wantFull := func(what string, err error) {
		t.Helper()
		if err == nil || !strings.Contains(err.Error(), "no room left") || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s on a full disk gives %v", what, err)
		}
		if left := listing(t, small); len(left) != 0 {
			t.Errorf("%s on a full disk leaves %v", what, slices.Collect(maps.Keys(left)))
		}
	}
	_, err := backup.Write(t.Context(), i.source(t), filepath.Join(small, "b.zip"))
	wantFull("a backup", err)
	_, err = restore(t.Context(), path, backup.Target{Folder: small, Passphrase: passphrase})
	wantFull("putting back", err)
	if err := os.WriteFile(filepath.Join(small, "filler"), make([]byte, 900<<10), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err = backup.Write(t.Context(), i.source(t), filepath.Join(small, "b.zip"))
	if err == nil || !strings.Contains(err.Error(), "no room left") {
		t.Errorf("without room for the database: %v", err)
	}
}
