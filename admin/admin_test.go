package admin

import (
	"bytes"
	"compress/gzip"
	"io"
	"io/fs"
	"regexp"
	"strings"
	"testing"
)

// The first route is what somebody who answers feedback waits for: the page's own scripts and the inbox.
const (
	maxFirstRouteJS  = 60 << 10
	maxFirstRouteCSS = 12 << 10
	// The theme's, the entry, what all pages share, the inbox, and what that shares with its parts.
	maxFirstRouteFiles = 5
)

var (
	pageAsset     = regexp.MustCompile(`/assets/([\w.-]+)`)
	staticImport  = regexp.MustCompile(`(?:from|import)\s?"\./([\w.-]+\.js)"`)
	dynamicImport = regexp.MustCompile(`import\("\./(inbox-page-[\w.-]+\.js)"\)`)
)

func mustLookup(t *testing.T, name string) Asset {
	t.Helper()
	asset, ok := Lookup(name)
	if !ok {
		t.Fatalf("Lookup(%q): not there", name)
	}
	return asset
}

// closure adds name and all that it imports statically.
func closure(t *testing.T, name string, into map[string]Asset) {
	t.Helper()
	if _, done := into[name]; done {
		return
	}
	asset := mustLookup(t, name)
	into[name] = asset
	for _, match := range staticImport.FindAllSubmatch(asset.Body, -1) {
		closure(t, string(match[1]), into)
	}
}

func TestFirstRouteBudget(t *testing.T) {
	loaded := map[string]Asset{}
	for _, match := range pageAsset.FindAllSubmatch(Index(), -1) {
		closure(t, string(match[1]), loaded)
	}
	inbox := ""
	for _, asset := range loaded {
		if match := dynamicImport.FindSubmatch(asset.Body); match != nil {
			inbox = string(match[1])
		}
	}
	if inbox == "" {
		t.Fatal("no script of the page leads to the inbox")
	}
	closure(t, inbox, loaded)

	size, files := map[string]int{}, map[string]int{}
	for _, asset := range loaded {
		size[asset.ContentType] += len(asset.Gzip)
		files[asset.ContentType]++
	}
	js, css := size["text/javascript; charset=utf-8"], size["text/css; charset=utf-8"]
	t.Logf("first route: %d bytes of JavaScript, %d bytes of CSS, gzip", js, css)
	if js == 0 || js > maxFirstRouteJS {
		t.Errorf("first route JavaScript: got %d bytes gzip, want 1 to %d", js, maxFirstRouteJS)
	}
	if got := files["text/javascript; charset=utf-8"]; got > maxFirstRouteFiles {
		t.Errorf("first route: got %d scripts, want at most %d: what all pages share has fallen apart", got, maxFirstRouteFiles)
	}
	if css == 0 || css > maxFirstRouteCSS {
		t.Errorf("first route CSS: got %d bytes gzip, want 1 to %d", css, maxFirstRouteCSS)
	}
}

func TestLookup(t *testing.T) {
	for _, name := range []string{"", "missing.js", "index.html", "../index.html", `..\index.html`, "assets", "app.js.gz"} {
		if _, ok := Lookup(name); ok {
			t.Errorf("Lookup(%q): got an asset, want none", name)
		}
	}
}

// Every file is what its compressed twin says, and no file came along that nobody should get.
func TestAssets(t *testing.T) {
	count := 0
	err := fs.WalkDir(dist, "dist/assets", func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || strings.HasSuffix(path, ".gz") {
			return err
		}
		count++
		asset := mustLookup(t, strings.TrimPrefix(path, "dist/assets/"))
		reader, err := gzip.NewReader(bytes.NewReader(asset.Gzip))
		if err != nil {
			t.Fatalf("%s.gz: %v", path, err)
		}
		plain, err := io.ReadAll(reader)
		if err != nil || !bytes.Equal(plain, asset.Body) {
			t.Errorf("%s.gz: differs from the file itself (%v)", path, err)
		}
		if asset.ContentType == "application/octet-stream" {
			t.Errorf("%s: no content type", path)
		}
		if strings.HasSuffix(path, ".map") || bytes.Contains(asset.Body, []byte("sourceMappingURL")) {
			t.Errorf("%s: carries a source map", path)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if count == 0 {
		t.Error("no assets embedded")
	}
}

// The page runs under a policy without inline scripts and styles.
func TestPageHasNothingInline(t *testing.T) {
	inline := regexp.MustCompile(`(?i)<script>|<script(?:\s[^>]*)?[^>]*>[^<]|<style|\sstyle=|\son\w+=`)
	if match := inline.Find(Index()); match != nil {
		t.Errorf("page: got %q, want no inline script, style or handler", match)
	}
}
