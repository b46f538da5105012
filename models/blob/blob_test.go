package blob_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"earshot/models"
	"earshot/models/blob"
	"earshot/models/blob/blobtest"
)

// both runs a test on either kind of store.
func both(t *testing.T, test func(t *testing.T, s blob.Store)) {
	t.Run("folder", func(t *testing.T) {
		test(t, open(t, blob.Location{Folder: filepath.Join(t.TempDir(), "files")}))
	})
	t.Run("bucket", func(t *testing.T) { test(t, open(t, blobtest.Start(t).Location)) })
}

func open(t *testing.T, at blob.Location) blob.Store {
	t.Helper()
	s, err := blob.Open(at, blobtest.Credentials)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func put(t *testing.T, s blob.Store, name, content string) {
	t.Helper()
	if err := s.Put(t.Context(), name, strings.NewReader(content), int64(len(content))); err != nil {
		t.Fatal(err)
	}
}

func read(t *testing.T, s blob.Store, name string) string {
	t.Helper()
	content, err := s.Open(t.Context(), name)
	if err != nil {
		return string(models.CodeOf(err))
	}
	got, err := io.ReadAll(content)
	if err := errors.Join(err, content.Close()); err != nil {
		t.Fatal(err)
	}
	if content.Size != int64(len(got)) {
		t.Errorf("%s has %d bytes and says %d", name, len(got), content.Size)
	}
	return string(got)
}

func list(t *testing.T, s blob.Store, folder string) (names []string) {
	t.Helper()
	for entry, err := range s.List(t.Context(), folder) {
		if err != nil {
			t.Fatal(err)
		}
		if age := time.Since(entry.Modified); age < -time.Minute || age > time.Minute {
			t.Errorf("%s was modified %v ago", entry.Name, age)
		}
		names = append(names, fmt.Sprint(entry.Name, " ", entry.Size))
	}
	slices.Sort(names)
	return names
}

func TestStores(t *testing.T) {
	both(t, func(t *testing.T, s blob.Store) {
		if got := list(t, s, "attachments"); len(got) != 0 {
			t.Errorf("a new store has %v", got)
		}
		put(t, s, "attachments/a", "first")
		put(t, s, "attachments/b", "")
		put(t, s, "attachments/deep/c", "not of the folder")
		put(t, s, "exports/d.csv", "x,y")
		put(t, s, "top.zip", "z")
		put(t, s, "attachments/a", "second, longer")
		for name, want := range map[string]string{
			"attachments/a": "second, longer", "attachments/b": "", "exports/d.csv": "x,y", "attachments/none": "not_found", "none/at/all": "not_found",
		} {
			if got := read(t, s, name); got != want {
				t.Errorf("%s is %q, want %q", name, got, want)
			}
		}
		for folder, want := range map[string][]string{
			"attachments": {"attachments/a 14", "attachments/b 0"}, "": {"top.zip 1"}, "exports": {"exports/d.csv 3"}, "none": nil,
		} {
			if got := list(t, s, folder); !slices.Equal(got, want) {
				t.Errorf("%q lists %v, want %v", folder, got, want)
			}
		}
		for range 2 {
			if err := s.Delete(t.Context(), "attachments/a"); err != nil {
				t.Errorf("delete: %v", err)
			}
		}
		if got := read(t, s, "attachments/a"); got != "not_found" {
			t.Errorf("what was deleted reads %q", got)
		}
	})
}

func TestNamesStayInside(t *testing.T) {
	both(t, func(t *testing.T, s blob.Store) {
		for _, name := range []string{"", "/etc/passwd", "../x", "a/../../x", "a//b", "a/", ".hidden", "a/.b", "a b", "a\\b", "a%2fb", "x.half", "ä"} {
			if err := s.Put(t.Context(), name, strings.NewReader("x"), 1); err == nil {
				t.Errorf("%q can be put", name)
			}
			if content, err := s.Open(t.Context(), name); err == nil {
				t.Errorf("%q can be opened", name)
				_ = content.Close()
			}
			if err := s.Delete(t.Context(), name); err == nil {
				t.Errorf("%q can be deleted", name)
			}
		}
	})
}

// More than a bucket lists, or takes, at a time.
func TestMuch(t *testing.T) {
	both(t, func(t *testing.T, s blob.Store) {
		const count = 1_100
		for i := range count {
			put(t, s, fmt.Sprintf("attachments/%04d", i), "x")
		}
		if got := list(t, s, "attachments"); len(got) != count {
			t.Errorf("%d are listed, want %d", len(got), count)
		}
		for range s.List(t.Context(), "attachments") {
			break // whoever has seen enough
		}
		big := make([]byte, 33<<20)
		_, _ = rand.Read(big)
		if err := s.Put(t.Context(), "big", io.MultiReader(bytes.NewReader(big)), int64(len(big))); err != nil {
			t.Fatal(err)
		}
		if got := read(t, s, "big"); got != string(big) {
			t.Errorf("of %d bytes %d come back, or others", len(big), len(got))
		}
	})
}

// A Put that fails leaves what was there before, and nothing beside it.
func TestPutIsWholeOrNothing(t *testing.T) {
	both(t, func(t *testing.T, s blob.Store) {
		put(t, s, "exports/a", "before")
		broken := io.MultiReader(strings.NewReader("half"), brokenReader{})
		if err := s.Put(t.Context(), "exports/a", broken, 100); err == nil {
			t.Error("a content that cannot be read is kept")
		}
		if err := s.Put(t.Context(), "exports/b", strings.NewReader("short"), 100); err == nil {
			t.Error("a content that is too short is kept")
		}
		gone, cancel := context.WithCancel(t.Context())
		cancel()
		if err := s.Put(gone, "exports/c", strings.NewReader("late"), 4); err == nil {
			t.Error("a content is kept whose context has ended")
		}
		if got := read(t, s, "exports/a"); got != "before" {
			t.Errorf("what was there is now %q", got)
		}
		if got := list(t, s, "exports"); !slices.Equal(got, []string{"exports/a 6"}) {
			t.Errorf("there is %v", got)
		}
	})
}

type brokenReader struct{}

func (brokenReader) Read([]byte) (int, error) { return 0, errors.New("broken") }

func TestFolderIsPrivateAndTidy(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "files")
	s := open(t, blob.Location{Folder: dir})
	put(t, s, "attachments/a", "x")
	for path, want := range map[string]os.FileMode{dir: 0o700, dir + "/attachments": 0o700, dir + "/attachments/a": 0o600} {
		if info, err := os.Stat(path); err != nil || info.Mode().Perm() != want {
			t.Errorf("%s: %v (%v), want mode %o", path, info, err, want)
		}
	}
	fresh, old := dir+"/attachments/b.1.half", dir+"/attachments/c.2.half"
	for _, path := range []string{fresh, old} {
		if err := os.WriteFile(path, nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Chtimes(old, time.Time{}, time.Now().Add(-61*time.Minute)); err != nil {
		t.Fatal(err)
	}
	if got := list(t, s, "attachments"); !slices.Equal(got, []string{"attachments/a 1"}) {
		t.Errorf("there is %v", got)
	}
	if _, err := os.Stat(fresh); err != nil {
		t.Errorf("what is being written was removed: %v", err)
	}
	if _, err := os.Stat(old); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("what a process left is still there (%v)", err)
	}
}

func TestParse(t *testing.T) {
	for raw, want := range map[string]blob.Location{
		"file:///var/lib/earshot":                       {Folder: "/var/lib/earshot"},
		"file://localhost/a%20b/":                       {Folder: "/a b"},
		"s3://feedback":                                 {Bucket: &blob.Bucket{Name: "feedback", Endpoint: "s3.amazonaws.com"}},
		"s3://b/x/y/?region=eu-west-1":                  {Bucket: &blob.Bucket{Name: "b", Prefix: "x/y/", Endpoint: "s3.amazonaws.com", Region: "eu-west-1"}},
		"s3://b?endpoint=minio:9000":                    {Bucket: &blob.Bucket{Name: "b", Endpoint: "minio:9000"}},
		"s3://b?endpoint=http%3A%2F%2F127.0.0.1%3A9000": {Bucket: &blob.Bucket{Name: "b", Endpoint: "127.0.0.1:9000", Plain: true}},
	} {
		got, err := blob.Parse(raw)
		if err != nil || got.Folder != want.Folder || (got.Bucket == nil) != (want.Bucket == nil) || got.Bucket != nil && *got.Bucket != *want.Bucket {
			t.Errorf("%s is %+v %+v (%v)", raw, got, got.Bucket, err)
		}
	}
	for _, raw := range []string{
		"", "/var/lib", "file://var/lib", "file:///x?y=z", "gs://b", "s3://", "s3://key:secret@b", "s3://b/../x", "s3://b?endpont=x",
		"s3://b?endpoint=ftp://x", "s3://b?endpoint=https://x/y", "s3://b#x", "s3://b:80",
	} {
		if got, err := blob.Parse(raw); err == nil {
			t.Errorf("%s is %+v, want it refused", raw, got)
		}
	}
}
