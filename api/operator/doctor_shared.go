package operator

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"time"

	"earshot/models/blob"
	"earshot/realtime/cluster"
)

// isWrong reports whether the settings' check has complained of one: what came of it is
// not worth looking at.
func (d Doctor) isWrong(setting string) bool {
	for _, problem := range d.Problems {
		if strings.HasPrefix(problem.Error(), setting+":") {
			return true
		}
	}
	return false
}

// checkFiles looks at where visitors' files are, without making it.
func (d Doctor) checkFiles(ctx context.Context) []Finding {
	const check = "files"
	at := d.Files
	switch {
	case d.isWrong("EARSHOT_BLOB_URL"):
		return []Finding{skip(check, "EARSHOT_BLOB_URL is not valid")}
	case at == (blob.Location{}) && d.Config.NATS != "":
		return []Finding{warn(check, "are on this server's disk alone: other servers have none of them", "set EARSHOT_BLOB_URL to a bucket, or to a folder that all servers mount")}
	case at == (blob.Location{}):
		return []Finding{skip(check, "are in the data folder: EARSHOT_BLOB_URL is not set")}
	case at.Bucket == nil:
		return []Finding{checkFileFolder(check, at.Folder)}
	}
	bucket, err := blob.Open(at, d.FilesCredentials)
	if err != nil {
		return []Finding{bad(check, err.Error(), "see EARSHOT_BLOB_URL")}
	}
	for _, err := range bucket.List(ctx, attachmentFolder) {
		if err != nil {
			return []Finding{bad(check, fmt.Sprintf("%v: %s", at, firstLine(err)),
				"see EARSHOT_BLOB_URL and AWS_ACCESS_KEY_ID, and that these may list, read, write and delete there")}
		}
		break
	}
	return []Finding{ok(check, "%v can be reached and listed", at)}
}

func checkFileFolder(check, folder string) Finding {
	info, err := os.Stat(folder)
	switch {
	case errors.Is(err, os.ErrNotExist):
		return warn(check, folder+" is not there: the server would make it", "mount it if other servers share it, or files are on this server's disk alone; else the first start makes it")
	case err != nil:
		return bad(check, err.Error(), "give the account that runs Earshot access to it")
	case !info.IsDir():
		return bad(check, folder+" is not a folder", "set EARSHOT_BLOB_URL to one")
	}
	if err := listable(folder); err != nil {
		return bad(check, "cannot be listed: "+err.Error(), "run as the account that runs Earshot, and have it own the folder")
	}
	if err := writable(folder); err != nil {
		return bad(check, folder+" cannot be written to: "+err.Error(), "run as the account that runs Earshot, and have it own the folder")
	}
	return ok(check, "%s can be listed and written to", folder)
}

func listable(folder string) error {
	dir, err := os.Open(folder) //nolint:gosec // the operator's own folder
	if err != nil {
		return err
	}
	_, err = dir.Readdirnames(1)
	if errors.Is(err, io.EOF) {
		err = nil
	}
	return errors.Join(err, dir.Close())
}

// checkNATS connects to each of the servers where others are heard of; one is enough.
func (d Doctor) checkNATS(ctx context.Context) []Finding {
	const check = "NATS"
	if d.Config.NATS == "" {
		return []Finding{skip(check, "EARSHOT_NATS_URL is not set: this server is alone")}
	}
	servers, err := cluster.Servers(d.Config.NATS)
	if err != nil {
		return []Finding{skip(check, "EARSHOT_NATS_URL is not valid")}
	}
	findings := make([]Finding, len(servers))
	var probing sync.WaitGroup
	for i, server := range servers {
		probing.Go(func() { findings[i] = probeNATS(ctx, check, server) })
	}
	probing.Wait()
	enough := false
	for _, finding := range findings {
		enough = enough || finding.Status == Fine
	}
	for i := range findings {
		if enough && findings[i].Status == Bad {
			findings[i].Status = Warning
		}
	}
	return findings
}

func probeNATS(ctx context.Context, check string, server cluster.Server) Finding {
	found, err := cluster.Probe(ctx, server)
	switch {
	case err == nil:
		return ok(check, "%s answers in %v, version %s", server.Name, found.RoundTrip.Round(10*time.Microsecond), found.Version)
	case cluster.IsRefusal(err):
		return bad(check, server.Name+" does not let us in: "+firstLine(err), "see the user and the password in EARSHOT_NATS_URL, and those that NATS knows")
	}
	return bad(check, server.Name+": "+firstLine(err), "see the host and the port in EARSHOT_NATS_URL, whether NATS runs there, and that a firewall lets us through; "+
		"until then other servers are heard of by their log alone")
}
