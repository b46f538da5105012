package api

import (
	"bytes"
	"testing"

	"earshot/models"
)

// TestKeptScripts: a file is made once for a configuration, and what is kept has
// a bound in bytes.
func TestKeptScripts(t *testing.T) {
	t.Parallel()
	const most = 10_000
	kept, made := newScripts(most), 0
	get := func(project models.ID, config string) {
		t.Helper()
		file, err := kept.get(scriptKey{project: project}, []byte(config), func(config []byte) ([]byte, error) {
			made++
			return bytes.Repeat(config, 100), nil
		})
		if err != nil || !bytes.HasPrefix(file.body, []byte(config)) {
			t.Fatalf("the file is %.20q (%v), want it made from %q", file.body, err, config)
		}
	}
	for i, step := range []struct {
		project models.ID
		config  string
		made    int
	}{{"a", "1", 1}, {"a", "1", 1}, {"b", "1", 2}, {"a", "2", 3}, {"a", "2", 3}, {"b", "1", 3}} {
		if get(step.project, step.config); made != step.made {
			t.Errorf("step %d: %d files were made, want %d", i, made, step.made)
		}
	}
	for range 200 {
		get(models.NewID(), "a configuration")
		sum := 0
		for _, file := range kept.kept {
			sum += file.size()
		}
		if kept.size != sum || sum > most {
			t.Fatalf("%d bytes are kept and counted as %d, want at most %d", sum, kept.size, most)
		}
	}
	get("a", "3")
	if kept.forget("a"); kept.kept[scriptKey{project: "a"}] != nil {
		t.Error("a forgotten project's file is kept")
	}
}
