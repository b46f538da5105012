package operator

import (
	"cmp"
	"embed"
	"fmt"
	"io"
	"net"
	"net/url"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"text/template"
	"time"

	"earshot/api/config"
	"earshot/models/blob"
)

// printed are the files that others read about Earshot, beside the code that they
// describe.
//
//go:embed printed
var printed embed.FS

// Print is the command "print".
type Print struct {
	Name string `arg:"" enum:"grafana,alerts,prometheus,systemd,caddy,nginx" help:"One of ${enum}."`
}

// Deployment is what of the settings is in the printed files.
type Deployment struct {
	BaseURL, Addr, Data, MetricsAddr string
	Drain                            time.Duration
	// Folders are where files and backups are, outside of Data.
	Folders []string
	// Elsewhere are the names of settings that are set and not in the unit.
	Elsewhere []string
}

// inUnit are the settings that the unit has itself.
var inUnit = []string{"EARSHOT_DATA", "EARSHOT_ADDR", "EARSHOT_BASE_URL", "EARSHOT_METRICS_ADDR"}

// Deployed is what the settings come to; set are the variables of those that are not as
// they are by default.
func Deployed(c config.Config, stores config.Stores, set []string) Deployment {
	d := Deployment{BaseURL: c.BaseURL, Addr: c.Addr, Data: c.Data, MetricsAddr: c.MetricsAddr, Drain: c.Drain}
	for _, name := range set {
		if !slices.Contains(inUnit, name) {
			d.Elsewhere = append(d.Elsewhere, name)
		}
	}
	places := []blob.Location{stores.Files}
	if stores.Backups != nil {
		places = append(places, *stores.Backups)
	}
	bucket := false
	for _, at := range places {
		bucket = bucket || at.Bucket != nil
		if at.Folder != "" {
			d.Folders = append(d.Folders, at.Folder)
		}
	}
	if bucket {
		d.Elsewhere = append(d.Elsewhere, "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")
	}
	return d
}

// The values of an installation of one's own, where nothing else is set.
const (
	exampleURL  = "https://feedback.example.com"
	exampleData = "/var/lib/earshot"
	exampleAddr = "127.0.0.1:9090"
	stateFolder = "/var/lib"
	// stopMargin is what the process gets beyond its time to drain.
	stopMargin = 5 * time.Second
)

// Run prints the file, with the settings in the places that they have there. What
// is for Prometheus and Grafana is the same everywhere.
func (p Print) Run(d Deployment, out io.Writer) error {
	path := "printed/" + p.Name
	text, err := printed.ReadFile(path)
	if err != nil {
		return fmt.Errorf("print %s: %w", p.Name, err)
	}
	if p.Name == "grafana" || p.Name == "alerts" { // Prometheus's templates look like ours
		_, err = out.Write(text)
		return err
	}
	parsed, err := template.New(p.Name).Option("missingkey=error").Parse(string(text))
	if err != nil {
		return fmt.Errorf("print %s: %w", p.Name, err)
	}
	fields, err := d.fields()
	if err != nil {
		return err
	}
	return parsed.Execute(out, fields)
}

// fields are what the files name.
func (d Deployment) fields() (map[string]any, error) {
	base, err := url.Parse(d.BaseURL)
	if err != nil {
		return nil, fmt.Errorf("read the base URL: %w", err)
	}
	if isLoopbackName(base.Hostname()) { // nothing was set
		if base, err = url.Parse(exampleURL); err != nil {
			return nil, err
		}
	}
	host, port, err := net.SplitHostPort(d.Addr)
	if err != nil {
		return nil, fmt.Errorf("read the address: %w", err)
	}
	if host == "" || host == "0.0.0.0" || host == "::" { // what stands behind a proxy is there for that alone
		host = "127.0.0.1"
	}
	data := d.Data
	if !filepath.IsAbs(data) {
		data = exampleData
	}
	folders, err := d.foldersBeside(data)
	if err != nil {
		return nil, err
	}
	state := ""
	if filepath.Dir(data) == stateFolder {
		state = filepath.Base(data)
	}
	if state == "" {
		folders = append([]string{data}, folders...)
	}
	return map[string]any{
		"BaseURL": base.Scheme + "://" + base.Host, "Host": base.Hostname(), "Scheme": base.Scheme,
		"HostPort": net.JoinHostPort(base.Hostname(), cmp.Or(base.Port(), map[string]string{"http": "80"}[base.Scheme], "443")),
		"Addr":     net.JoinHostPort(host, port), "Local": net.JoinHostPort(host, port), "Data": data, "State": state,
		"MetricsAddr": cmp.Or(d.MetricsAddr, exampleAddr), "MetricsSet": d.MetricsAddr != "",
		"Writable": strings.Join(folders, " "), "Elsewhere": d.Elsewhere,
		"StopSeconds": strconv.Itoa(int((d.Drain + stopMargin).Seconds())),
	}, nil
}

// foldersBeside are those of files and backups that are not in the data folder. It
// refuses names that a unit would have to quote.
func (d Deployment) foldersBeside(data string) (beside []string, err error) {
	for _, folder := range append([]string{data}, d.Folders...) {
		if strings.ContainsAny(folder, "\n\"' %\\$") {
			return nil, fmt.Errorf("%q: a folder with such characters in its name needs a unit written by hand", folder)
		}
		if within, err := filepath.Rel(data, folder); (err != nil || !filepath.IsLocal(within)) && !slices.Contains(beside, folder) {
			beside = append(beside, folder)
		}
	}
	return beside, nil
}

func isLoopbackName(host string) bool {
	addr := net.ParseIP(host)
	return host == "localhost" || addr != nil && addr.IsLoopback()
}
