package operator

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"earshot/models/store"
)

// Somebody else's folder is not taken for an empty one.
func TestAnAccountThatMayNotRead(t *testing.T) {
	d := patient(t)
	for _, folder := range []string{filepath.Dir(d.Dir), filepath.Dir(filepath.Dir(d.Dir))} {
		chmod(t, folder, 0o711)
	}
	if !store.Exists(d.Path()) {
		t.Fatal("there is no database")
	}
	withoutRights(t, d.Dir, func() {
		for check, found := range map[string][]Finding{
			"data folder": d.checkFolder(t.Context()), "secret": d.checkSecret(t.Context()), "database": d.checkDatabase(t.Context()),
		} {
			if found[0].Check != check || found[0].Status != Bad || !strings.Contains(found[0].Found, "may not read the data folder "+d.Dir) ||
				!strings.Contains(found[0].Advice, "account that runs Earshot") {
				t.Errorf("%s: found %+v", check, found)
			}
		}
		err := d.Backup(t.Context(), Backup{File: filepath.Join(os.TempDir(), "none.zip")}, "", "test")
		if err == nil || !strings.Contains(err.Error(), "may not read the data folder") || !strings.Contains(err.Error(), "sudo -u earshot") {
			t.Errorf("backup: %v", err)
		}
	})
}
