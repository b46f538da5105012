package config

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

func TestStores(t *testing.T) {
	valid := Keeping{BackupURL: "file:///backups", BackupEvery: "12h", BackupKeep: "3", BackupPassphrase: "twelve or more"}
	nothing := func(string) string { return "" }
	stores, problems := valid.Stores(nothing, "")
	if len(problems) > 0 || stores.Backups == nil || stores.Backups.Folder != "/backups" || stores.Every != 12*time.Hour || stores.Keep != 3 {
		t.Errorf("%+v come to %+v, %v", valid, stores, problems)
	}
	for _, tc := range []struct {
		name, want, database string
		change               func(*Keeping)
	}{
		{"backups of PostgreSQL", "EARSHOT_BACKUP_URL: backups are of a data folder", "postgres://db/earshot", func(*Keeping) {}},
		{"an address of neither kind", "EARSHOT_BACKUP_URL", "", func(k *Keeping) { k.BackupURL = "ftp://there" }},
		{"a bucket without credentials", "AWS_ACCESS_KEY_ID", "", func(k *Keeping) { k.BlobURL = "s3://bucket?endpoint=https://s3.example.com&region=eu-1" }},
		{"too often", "EARSHOT_BACKUP_EVERY", "", func(k *Keeping) { k.BackupEvery = "59s" }},
		{"no number of hours", "EARSHOT_BACKUP_EVERY", "", func(k *Keeping) { k.BackupEvery = "daily" }},
		{"none to keep", "EARSHOT_BACKUP_KEEP", "", func(k *Keeping) { k.BackupKeep = "0" }},
		{"a short passphrase", "EARSHOT_BACKUP_PASSPHRASE", "", func(k *Keeping) { k.BackupPassphrase = "short" }},
	} {
		changed := valid
		tc.change(&changed)
		_, problems := changed.Stores(nothing, tc.database)
		if got := fmt.Sprint(problems); len(problems) != 1 || !strings.Contains(got, tc.want) {
			t.Errorf("%s: %s, want one problem with %q", tc.name, got, tc.want)
		}
	}
}
