// Command build bundles the dashboard into ../dist. It needs `npm ci` in this folder's parent to have run once; the
// result is committed, so that building and running the server need no Node.
//
// The output is deterministic: names carry content hashes, gzip headers carry no time.
package main

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/base32"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/evanw/esbuild/pkg/api"
)

const (
	source = "src"
	target = "dist"
)

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "admin/build:", err)
		os.Exit(1)
	}
}

// run works in the folder of admin.go, where `go generate` starts it.
func run() error {
	files, names, err := bundle()
	if err != nil {
		return err
	}
	page, err := index(names, preloads(files, names["app.js"]))
	if err != nil {
		return err
	}
	if err := os.RemoveAll(target); err != nil {
		return fmt.Errorf("clear %s: %w", target, err)
	}
	if err := os.MkdirAll(filepath.Join(target, "assets"), 0o755); err != nil {
		return fmt.Errorf("make %s: %w", target, err)
	}
	for name, content := range files {
		if err := writePair(filepath.Join(target, "assets", name), content); err != nil {
			return err
		}
	}
	return writePair(filepath.Join(target, "index.html"), page)
}

// bundle returns the assets by their hashed names, and the hashed name of each entry by its plain one.
func bundle() (files map[string][]byte, names map[string]string, err error) {
	files, names = map[string][]byte{}, map[string]string{}
	common := commonOptions()
	styles := common
	styles.EntryPointsAdvanced = []api.EntryPoint{
		{InputPath: source + "/styles/style.css", OutputPath: "style"},
		{InputPath: source + "/styles/late.css", OutputPath: "late"},
	}
	// The theme is set by a classic script before the first paint: a module would run after it, and the page would flash.
	theme := common
	theme.EntryPointsAdvanced = []api.EntryPoint{{InputPath: source + "/theme.ts", OutputPath: "theme"}}
	theme.Format = api.FormatIIFE
	for _, options := range []api.BuildOptions{styles, theme} {
		if err := build(options, files, names); err != nil {
			return nil, nil, err
		}
	}

	app := common
	app.EntryPointsAdvanced = []api.EntryPoint{{InputPath: source + "/app.tsx", OutputPath: "app"}}
	app.Format = api.FormatESModule
	app.Splitting = true
	// Known to the scripts alone: the page itself does not name what the first route does without.
	app.Define["LATE_STYLES"] = `"/assets/` + names["late.css"] + `"`
	first, err := start(app, source+"/app.tsx")
	if err != nil {
		return nil, nil, err
	}
	folder, err := filepath.Abs(".")
	if err != nil {
		return nil, nil, fmt.Errorf("find the sources: %w", err)
	}
	app.Plugins = []api.Plugin{sharing(first, folder)}
	if err := build(app, files, names); err != nil {
		return nil, nil, err
	}
	icon, err := os.ReadFile(source + "/icon.svg")
	if err != nil {
		return nil, nil, fmt.Errorf("read icon: %w", err)
	}
	sum := sha256.Sum256(icon)
	names["icon.svg"] = "icon-" + base32.StdEncoding.EncodeToString(sum[:])[:8] + ".svg"
	files[names["icon.svg"]] = icon
	return files, names, nil
}

// commonOptions are those of scripts and styles. Defines are shared by who copies them.
func commonOptions() api.BuildOptions {
	return api.BuildOptions{
		Bundle:            true,
		Write:             false,
		Outdir:            target,
		EntryNames:        "[name]-[hash]",
		ChunkNames:        "[name]-[hash]",
		MinifyWhitespace:  true,
		MinifyIdentifiers: true,
		MinifySyntax:      true,
		LegalComments:     api.LegalCommentsNone,
		Charset:           api.CharsetUTF8,
		Target:            api.ES2022,
		JSX:               api.JSXAutomatic,
		JSXImportSource:   "preact",
		Define:            map[string]string{"process.env.NODE_ENV": `"production"`},
		LogLevel:          api.LogLevelWarning,
	}
}

// build adds what comes of one build to the assets.
func build(options api.BuildOptions, files map[string][]byte, names map[string]string) error {
	result := api.Build(options)
	if len(result.Errors) > 0 {
		return fmt.Errorf("%d errors, the first: %s", len(result.Errors), result.Errors[0].Text)
	}
	for _, file := range result.OutputFiles {
		name := filepath.Base(file.Path)
		files[name] = file.Contents
		stem, ext := name[:strings.LastIndex(name, "-")], filepath.Ext(name)
		if stem == "app" || stem == "style" || stem == "late" || stem == "theme" {
			names[stem+ext] = name
		}
	}
	return nil
}

// preloads lists the chunks that the entry imports statically: without the hint the browser learns of them one round
// trip late.
func preloads(files map[string][]byte, entry string) []string {
	var found []string
	for name := range files {
		static := []byte(`from"./` + name + `"`)
		bare := []byte(`import"./` + name + `"`)
		if bytes.Contains(files[entry], static) || bytes.Contains(files[entry], bare) {
			found = append(found, name)
		}
	}
	slices.Sort(found)
	return found
}

func index(names map[string]string, preload []string) ([]byte, error) {
	template, err := os.ReadFile(source + "/index.html")
	if err != nil {
		return nil, fmt.Errorf("read page: %w", err)
	}
	page := string(template)
	for plain, hashed := range names {
		page = strings.ReplaceAll(page, "{{"+plain+"}}", hashed)
	}
	links := make([]string, 0, len(preload))
	for _, name := range preload {
		links = append(links, `<link rel="modulepreload" href="/assets/`+name+`">`)
	}
	page = strings.ReplaceAll(page, "{{preload}}", strings.Join(links, "\n"))
	if strings.Contains(page, "{{") {
		return nil, fmt.Errorf("page names an asset that was not built")
	}
	return []byte(page), nil
}

// writePair writes a file and its gzip form beside it.
func writePair(path string, content []byte) error {
	if err := os.WriteFile(path, content, 0o644); err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	var packed bytes.Buffer
	w, err := gzip.NewWriterLevel(&packed, gzip.BestCompression)
	if err != nil {
		return fmt.Errorf("gzip %s: %w", path, err)
	}
	if _, err := w.Write(content); err != nil {
		return fmt.Errorf("gzip %s: %w", path, err)
	}
	if err := w.Close(); err != nil {
		return fmt.Errorf("gzip %s: %w", path, err)
	}
	if err := os.WriteFile(path+".gz", packed.Bytes(), 0o644); err != nil {
		return fmt.Errorf("write %s.gz: %w", path, err)
	}
	return nil
}
