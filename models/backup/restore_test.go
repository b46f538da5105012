package backup_test

import (
	"archive/zip"
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"earshot/models/backup"
)

// rewrite makes another archive of the parts of one, as change leaves them.
func rewrite(t *testing.T, path string, change func(parts map[string][]byte)) string {
	t.Helper()
	in, err := zip.OpenReader(path)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = in.Close() }()
	parts := map[string][]byte{}
	for _, file := range in.File {
		r, err := file.Open()
		if err != nil {
			t.Fatal(err)
		}
		if parts[file.Name], err = io.ReadAll(r); err != nil {
			t.Fatal(err)
		}
	}
	change(parts)
	var out bytes.Buffer
	w := zip.NewWriter(&out)
	for _, name := range slices.Sorted(maps.Keys(parts)) {
		part, err := w.Create(name)
		if err == nil {
			_, err = part.Write(parts[name])
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	changed := filepath.Join(t.TempDir(), "changed.zip")
	if err := os.WriteFile(changed, out.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	return changed
}

// manifest changes what the manifest says.
func manifest(change func(m map[string]any)) func(map[string][]byte) {
	return func(parts map[string][]byte) {
		var m map[string]any
		_ = json.Unmarshal(parts["manifest.json"], &m)
		change(m)
		parts["manifest.json"], _ = json.Marshal(m)
	}
}

func bytesOf(t *testing.T, path string) []byte {
	t.Helper()
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return content
}

func fileOf(t *testing.T, content []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "a.zip")
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// TestRestoreRefuses: one line says why, and nothing has changed.
func TestRestoreRefuses(t *testing.T) {
	i := install(t, nil)
	_, file := i.submit(t, "with a file", strings.Repeat("content of a file ", 100))
	good, _ := write(t, i.source(t))
	open := i.source(t)
	open.Passphrase = ""
	unsealed, _ := write(t, open)
	name := "attachments/" + string(file)
	whole := bytesOf(t, good)
	damaged := bytes.Replace(whole, []byte("content of a file content"), []byte("c0ntent of a file content"), 1)
	firstPart := func(m map[string]any) map[string]any { return m["parts"].([]any)[0].(map[string]any) }
	for _, tc := range []struct {
		name, path, want string
		to               backup.Target
	}{
		{"no file", filepath.Join(t.TempDir(), "none.zip"), "no such file", backup.Target{Passphrase: passphrase}},
		{"an empty file", fileOf(t, nil), "is no backup, or was cut off", backup.Target{Passphrase: passphrase}},
		{"cut off at the end", fileOf(t, whole[:len(whole)-100]), "is no backup, or was cut off", backup.Target{Passphrase: passphrase}},
		{"cut off in the middle", fileOf(t, whole[:len(whole)/2]), "is no backup, or was cut off", backup.Target{Passphrase: passphrase}},
		{"another archive", rewrite(t, good, func(p map[string][]byte) { clear(p) }), "manifest.json is not in it", backup.Target{Passphrase: passphrase}},
		{"a bit that flipped", fileOf(t, damaged), name + " was changed or damaged", backup.Target{Passphrase: passphrase}},
		{"another file", rewrite(t, good, func(p map[string][]byte) { p[name] = bytes.ToUpper(p[name]) }), name + " was changed or damaged", backup.Target{Passphrase: passphrase}},
		{"a longer file", rewrite(t, good, func(p map[string][]byte) { p[name] = append(p[name], 'x') }), name + " was changed or damaged", backup.Target{Passphrase: passphrase}},
		{"without a file", rewrite(t, good, func(p map[string][]byte) { delete(p, name) }), name + " is not in it", backup.Target{Passphrase: passphrase}},
		{"another database", rewrite(t, good, func(p map[string][]byte) { p["earshot.db"][5000]++ }), "earshot.db was changed or damaged", backup.Target{Passphrase: passphrase}},
		{"without its secret", rewrite(t, good, func(p map[string][]byte) { delete(p, "secret.age") }), "secret.age is not in it", backup.Target{Passphrase: passphrase}},
		{"another manifest", rewrite(t, good, manifest(func(m map[string]any) { m["epoch"] = "x" })), "changed by somebody who does not have the passphrase", backup.Target{Passphrase: passphrase}},
		{"as if it had no secret", rewrite(t, good, manifest(func(m map[string]any) { m["sealed"] = false })), "made without a passphrase", backup.Target{Passphrase: passphrase}},
		{"a path out of the folder", rewrite(t, unsealed, func(p map[string][]byte) {
			manifest(func(m map[string]any) {
				m["parts"] = append(m["parts"].([]any), map[string]any{"name": "exports/../../x", "size": 1, "sha256": ""})
			})(p)
			p["exports/../../x"] = []byte("x")
		}), "names a part", backup.Target{WithoutSecret: true}},
		{"a part twice", rewrite(t, unsealed, manifest(func(m map[string]any) { m["parts"] = append(m["parts"].([]any), m["parts"].([]any)[1]) })), "names a part", backup.Target{WithoutSecret: true}},
		{"a file that only the database has", rewrite(t, unsealed, manifest(func(m map[string]any) { m["parts"] = m["parts"].([]any)[:1] })), "the file of the attachment " + string(file), backup.Target{WithoutSecret: true}},
		{"no database", rewrite(t, unsealed, manifest(func(m map[string]any) { firstPart(m)["name"] = "x.db" })), "names no database", backup.Target{WithoutSecret: true}},
		{"a newer format", rewrite(t, unsealed, manifest(func(m map[string]any) { m["format"] = 2 })), "made by a newer earshot", backup.Target{WithoutSecret: true}},
		{"a newer schema", rewrite(t, unsealed, manifest(func(m map[string]any) { m["schema"] = 99999 })), "schema version 99999", backup.Target{WithoutSecret: true}},
		{"another schema than its own", rewrite(t, unsealed, manifest(func(m map[string]any) { m["schema"] = 1 })), "not the one that the manifest speaks of", backup.Target{WithoutSecret: true}},
		{"a wrong passphrase", good, "the passphrase is not the one", backup.Target{Passphrase: "another passphrase"}},
		{"no passphrase", good, "set EARSHOT_BACKUP_PASSPHRASE", backup.Target{}},
		{"another secret in the settings", good, "EARSHOT_SECRET is not the backup's", backup.Target{Passphrase: passphrase, Configured: []byte(strings.Repeat("x", 43))}},
		{"no secret anywhere", unsealed, "set EARSHOT_SECRET", backup.Target{}},
		{"another secret for one that has none", unsealed, "set EARSHOT_SECRET", backup.Target{Configured: []byte(strings.Repeat("x", 43))}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			for _, inUse := range []bool{false, true} {
				tc.to.Folder, tc.to.Replace = t.TempDir(), inUse
				if inUse {
					for _, name := range []string{"earshot.db", "earshot.db-wal", "notes.txt"} {
						if err := os.WriteFile(filepath.Join(tc.to.Folder, name), []byte("of before"), 0o600); err != nil {
							t.Fatal(err)
						}
					}
				}
				before := listing(t, tc.to.Folder)
				_, err := restore(t.Context(), tc.path, tc.to)
				if err == nil || !strings.Contains(err.Error(), tc.want) || strings.Contains(err.Error(), "\n") {
					t.Errorf("Restore gives %v, want one line with %q", err, tc.want)
				}
				if after := listing(t, tc.to.Folder); !maps.Equal(after, before) {
					t.Errorf("the folder has %v, had %v", after, before)
				}
			}
		})
	}
}

// TestRestoreFindsTheSecret where it may be.
func TestRestoreFindsTheSecret(t *testing.T) {
	i := install(t, nil)
	sealed, _ := write(t, i.source(t))
	open := i.source(t)
	open.Passphrase = ""
	unsealed, m := write(t, open)
	if m.Sealed || strings.Contains(string(bytesOf(t, unsealed)), string(secret)) || strings.Contains(string(bytesOf(t, sealed)), string(secret)) {
		t.Error("the secret is in a backup as it is")
	}
	for _, tc := range []struct {
		name, path  string
		to          backup.Target
		found, kept bool
	}{
		{"under the passphrase", sealed, backup.Target{Passphrase: passphrase}, true, true},
		{"under the passphrase and in the settings", sealed, backup.Target{Passphrase: passphrase, Configured: secret}, true, false},
		{"in the settings", sealed, backup.Target{Configured: secret}, true, false},
		{"in the settings alone", unsealed, backup.Target{Configured: secret}, true, false},
		{"nowhere, as was said", unsealed, backup.Target{WithoutSecret: true}, false, false},
		{"not asked for", sealed, backup.Target{WithoutSecret: true}, false, false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			tc.to.Folder = t.TempDir()
			r, err := restore(t.Context(), tc.path, tc.to)
			if err != nil || r.Secret != tc.found {
				t.Errorf("restored %+v (%v), want the secret: %v", r, err, tc.found)
			}
			if _, kept := listing(t, tc.to.Folder)["secret"]; kept != tc.kept {
				t.Errorf("the folder has a secret: %v, want %v", kept, tc.kept)
			}
		})
	}
}

func TestRestoreIntoAFolderInUse(t *testing.T) {
	i := install(t, nil)
	i.submit(t, "kept", "file")
	path, _ := write(t, i.source(t))
	dir := t.TempDir()
	before := map[string]string{"earshot.db": "old", "earshot.db-heads": "old heads", "secret": "old secret", "notes.txt": "mine"}
	for name, content := range before {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Mkdir(filepath.Join(dir, "lost+found"), 0o700); err != nil {
		t.Fatal(err)
	}
	if _, err := restore(t.Context(), path, backup.Target{Folder: dir, Passphrase: passphrase}); err == nil || !strings.Contains(err.Error(), "is not empty") {
		t.Fatalf("a folder that is not empty gives %v", err)
	}
	r, err := restore(t.Context(), path, backup.Target{Folder: dir, Passphrase: passphrase, Replace: true})
	if err != nil {
		t.Fatal(err)
	}
	now := listing(t, dir)
	for name, content := range before {
		if name != "notes.txt" {
			name = filepath.Join(filepath.Base(r.Aside), name)
		}
		if now[name] != content {
			t.Errorf("%s is %q, want %q", name, now[name], content)
		}
	}
	if _, stays := now["earshot.db-heads"]; stays || now["secret"] != string(secret)+"\n" {
		t.Errorf("there is %v", slices.Sorted(maps.Keys(now)))
	}
	s := openStore(t, dir)
	if list, err := s.ReadLog(t.Context(), i.scope, i.project.ID, 0, 10); err != nil || len(list) != 1 {
		t.Errorf("the log has %d entries (%v), want one", len(list), err)
	}
}

// TestRestoreIsUndone: what cannot be finished is as if it had never begun. A folder that
// is a file system of its own cannot be moved, which shows when others have been.
func TestRestoreIsUndone(t *testing.T) {
	i := install(t, nil)
	path, _ := write(t, i.source(t))
	dir := t.TempDir()
	exports := filepath.Join(dir, "exports")
	if err := errors.Join(os.WriteFile(filepath.Join(dir, "earshot.db"), []byte("old"), 0o600), os.Mkdir(exports, 0o700)); err != nil {
		t.Fatal(err)
	}
	mountSmall(t, exports)
	before := listing(t, dir)
	_, err := restore(t.Context(), path, backup.Target{Folder: dir, Passphrase: passphrase, Replace: true})
	if err == nil || !strings.Contains(err.Error(), "busy") {
		t.Errorf("Restore gives %v, want it to fail at a folder that cannot be moved", err)
	}
	if after := listing(t, dir); !maps.Equal(after, before) {
		t.Errorf("the folder has %v, had %v", after, before)
	}
}
