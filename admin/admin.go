// Package admin holds the built dashboard: one page and its hashed assets. It serves nothing itself; whoever does may
// cache every asset for ever, because a changed file has another name, and must not cache the page.
package admin

import (
	"embed"
	"encoding/json"
	"path"
	"slices"
	"strings"
)

//go:generate go run ./build

//go:embed dist
var dist embed.FS

//go:embed src/routes.json
var routes []byte

// Asset is one immutable file. The byte slices are shared: callers must not write to them.
type Asset struct {
	ContentType string
	Body        []byte
	// Gzip is the same content, compressed at build time.
	Gzip []byte
}

// Index returns the page that every path of the dashboard is answered with. Callers must not write to it.
func Index() []byte {
	page, ok := read("dist/index.html")
	if !ok {
		panic("admin: dist/index.html is not embedded: run go generate ./admin")
	}
	return page.Body
}

// Pages returns the paths of the dashboard's pages, as a router's patterns: from the table that the dashboard itself finds
// its pages by.
func Pages() []string {
	table := map[string]string{}
	if err := json.Unmarshal(routes, &table); err != nil {
		panic("admin: src/routes.json: " + err.Error())
	}
	var paths []string
	for _, path := range table {
		short, optional := strings.CutSuffix(path, "/:item?")
		paths = append(paths, short)
		if optional {
			paths = append(paths, short+"/:item")
		}
	}
	slices.Sort(paths)
	return paths
}

// Lookup finds the asset that the page calls /assets/NAME. There is no second chance: what is not there is a 404, never
// the page, or a browser would run HTML as a script.
func Lookup(name string) (Asset, bool) {
	if name == "" || strings.ContainsAny(name, `/\`) || strings.HasSuffix(name, ".gz") {
		return Asset{}, false
	}
	return read("dist/assets/" + name)
}

func read(file string) (Asset, bool) {
	body, err := dist.ReadFile(file)
	if err != nil {
		return Asset{}, false
	}
	packed, err := dist.ReadFile(file + ".gz")
	if err != nil {
		return Asset{}, false
	}
	return Asset{ContentType: contentType(file), Body: body, Gzip: packed}, true
}

// contentType covers what the build writes. The host's MIME table is not asked: it differs from machine to machine.
func contentType(file string) string {
	switch path.Ext(file) {
	case ".html":
		return "text/html; charset=utf-8"
	case ".js":
		return "text/javascript; charset=utf-8"
	case ".css":
		return "text/css; charset=utf-8"
	case ".svg":
		return "image/svg+xml"
	}
	return "application/octet-stream"
}
