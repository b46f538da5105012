package operator

import (
	"os"
	"path/filepath"
	"testing"
	"time"
)

// A look at backups leaves what a server was writing when it ended, which is for the
// server to remove: somebody may want to know what became of it.
func TestDoctorLeavesHalfABackup(t *testing.T) {
	d := patient(t)
	folder := d.Stores.Backups.Folder
	half := filepath.Join(folder, "earshot-20260101T000000Z.zip.1.half")
	put(t, half, "half of one")
	if err := os.Chtimes(half, time.Time{}, time.Now().Add(-48*time.Hour)); err != nil {
		t.Fatal(err)
	}
	before := listed(t, folder)
	says(t, d.checkBackups(t.Context())[0], Fine, "old")
	if after := listed(t, folder); after != before {
		t.Errorf("the folder had %s and has %s", before, after)
	}
}
