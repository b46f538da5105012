// Command build bundles the widget into ../dist, which is committed so that building and running the server need no
// Node. The same sources always give the same bytes.
package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/evanw/esbuild/pkg/api"
)

const (
	source = "src"
	target = "dist"

	// placeholder stands for the version in src/version.ts while the version, a hash over everything, is not known.
	placeholder = "@earshot-version@"
	// internal lists property names of our own objects that nothing outside the bundle reads: no DOM, wire, storage or
	// public name. They are shortened for the size budget.
	internal = `^(claim|hurry|failed|durable|fail|later|engage|paint|onDraft|onSubmit|onAgain|onClose|onEvent|onState|immediate|` +
		`leave|flush|reading|busy|emit|field|after|hasten|form|protocol|back|error|root|ask|use|greet|hear|` +
		`onTalk|onNews|onLeave|draw|begin|outbox|emitter|dress|language|faulty|revise|changed|` +
		`progress|part|returned|config)$`

	// versionLength in hex digits: short in addresses, long enough never to meet twice.
	versionLength = 16
)

// chunks are the scripts that the core loads when it needs them: folders of the source.
var chunks = []string{"live", "mend", "shot", "talk"} //nolint:gochecknoglobals // a table

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "widget/build:", err)
		os.Exit(1)
	}
}

// run works in the folder of widget.go, where `go generate` starts it.
func run() error {
	if err := checkWords(); err != nil {
		return err
	}
	core, names, err := bundle("main.ts", "(earshotConfig=>{", "})(null);\n", map[string]any{})
	if err != nil {
		return err
	}
	files, err := locales()
	if err != nil {
		return err
	}
	for _, chunk := range chunks {
		// It is handed objects of the core, so what is shortened has the same name in both.
		if files[chunk+".js"], names, err = bundle(filepath.Join(chunk, "main.ts"), "", "", names); err != nil {
			return err
		}
	}
	hash := sha256.New()
	hash.Write(core)
	for _, name := range slices.Sorted(maps.Keys(files)) {
		hash.Write(files[name])
	}
	version := hex.EncodeToString(hash.Sum(nil))[:versionLength]
	files["core.js"] = core
	for name, content := range files {
		files[name] = bytes.ReplaceAll(content, []byte(placeholder), []byte(version))
	}
	files["version"] = []byte(version)
	return write(files)
}

// bundle returns a script, and the names it has for what is internal. The last bytes of the core are "(null);\n", the
// argument that widget.Script replaces.
func bundle(entry, banner, footer string, names map[string]any) ([]byte, map[string]any, error) {
	result := api.Build(api.BuildOptions{
		EntryPoints:       []string{filepath.Join(source, entry)},
		Bundle:            true,
		Format:            api.FormatESModule,
		Target:            api.ES2022,
		Charset:           api.CharsetUTF8,
		MinifyWhitespace:  true,
		MinifyIdentifiers: true,
		MinifySyntax:      true,
		MangleProps:       internal,
		MangleCache:       names,
		LegalComments:     api.LegalCommentsNone,
		Plugins:           []api.Plugin{inlineCSS, inlineNumbers},
		LogLevel:          api.LogLevelWarning,
	})
	if len(result.Errors) > 0 {
		return nil, nil, fmt.Errorf("bundle %s: %s", entry, result.Errors[0].Text)
	}
	code, err := tighten(result.OutputFiles[0].Contents)
	if err != nil {
		return nil, nil, fmt.Errorf("bundle %s: %w", entry, err)
	}
	return slices.Concat([]byte(banner), code, []byte(footer)), result.MangleCache, nil
}

// tighten makes a bundle smaller still: with brotli, the core loses 3 % by it. Top-level names are the script's own.
// "unsafe" makes sums of template texts, which differ where a value is a Symbol or has a valueOf: none of ours.
func tighten(code []byte) ([]byte, error) {
	cmd := exec.Command(filepath.Join("node_modules", ".bin", "terser"), //nolint:gosec // our own words, all of them
		"--module", "--ecma", "2022", "--mangle", "--compress", "passes=3,unsafe,unsafe_arrows,keep_fargs=false")
	cmd.Stdin, cmd.Stderr = bytes.NewReader(code), os.Stderr
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("run terser, which `npm ci` installs: %w", err)
	}
	return bytes.TrimSpace(out), nil
}

// inlineCSS makes "x.css?inline", as the test runner knows it too, a string of minified CSS.
var inlineCSS = api.Plugin{Name: "inline-css", Setup: func(build api.PluginBuild) {
	build.OnResolve(api.OnResolveOptions{Filter: `\.css\?inline$`}, func(args api.OnResolveArgs) (api.OnResolveResult, error) {
		path := filepath.Join(args.ResolveDir, strings.TrimSuffix(args.Path, "?inline"))
		return api.OnResolveResult{Path: path, Namespace: "inline-css"}, nil
	})
	build.OnLoad(api.OnLoadOptions{Filter: `.*`, Namespace: "inline-css"}, func(args api.OnLoadArgs) (api.OnLoadResult, error) {
		text, err := os.ReadFile(args.Path)
		if err != nil {
			return api.OnLoadResult{}, fmt.Errorf("read style: %w", err)
		}
		result := api.Transform(string(text), api.TransformOptions{
			Loader: api.LoaderCSS, MinifyWhitespace: true, MinifySyntax: true,
		})
		if len(result.Errors) > 0 {
			return api.OnLoadResult{Errors: result.Errors}, nil
		}
		css := tightCSS.Replace(strings.TrimSpace(string(result.Code)))
		return api.OnLoadResult{Contents: &css, Loader: api.LoaderText}, nil
	})
}}

// tightCSS drops the spaces that the minifier leaves in the values of custom properties, which it does not read. None
// of our styles has a text in which they would count.
var tightCSS = strings.NewReplacer(": ", ":", ", ", ",")

// namedNumber is a constant of a module, such as "const SILENCE_MS = 10_000;".
var namedNumber = regexp.MustCompile(`(?m)^(?:export )?const ([A-Z][A-Z_]+) = ([\d_]+);$`)

// inlineNumbers puts a module's own named numbers where their names are, which esbuild does within functions only. The
// names cost visitors nothing then; the constant itself stays for other modules and falls away where there are none.
var inlineNumbers = api.Plugin{Name: "inline-numbers", Setup: func(build api.PluginBuild) {
	build.OnLoad(api.OnLoadOptions{Filter: `\.ts$`, Namespace: "file"}, func(args api.OnLoadArgs) (api.OnLoadResult, error) {
		content, err := os.ReadFile(args.Path)
		if err != nil {
			return api.OnLoadResult{}, fmt.Errorf("read source: %w", err)
		}
		text := string(content)
		for _, constant := range namedNumber.FindAllStringSubmatch(text, -1) {
			name := regexp.MustCompile(`\b` + constant[1] + `\b`)
			text = strings.ReplaceAll(name.ReplaceAllLiteralString(text, constant[2]), "const "+constant[2]+" =", "const "+constant[1]+" =")
		}
		return api.OnLoadResult{Contents: &text, Loader: api.LoaderTS}, nil
	})
}}

// checkWords refuses words whose name the build would shorten where they are read, and there alone: they would be missing.
func checkWords() error {
	names, err := filepath.Glob(filepath.Join(source, "*", "locales", "en.json"))
	if err != nil {
		return fmt.Errorf("list words: %w", err)
	}
	shortened := regexp.MustCompile(internal)
	for _, name := range names {
		text, err := os.ReadFile(name)
		if err != nil {
			return fmt.Errorf("read words: %w", err)
		}
		var words map[string]string
		if err := json.Unmarshal(text, &words); err != nil {
			return fmt.Errorf("words %s: %w", name, err)
		}
		for word := range words {
			if shortened.MatchString(word) {
				return fmt.Errorf("the word %q in %s has the name of something internal", word, name)
			}
		}
	}
	return nil
}

// locales returns the compact dictionaries by file name.
func locales() (map[string][]byte, error) {
	names, err := filepath.Glob(filepath.Join(source, "locales", "*.json"))
	if err != nil {
		return nil, fmt.Errorf("list locales: %w", err)
	}
	files := map[string][]byte{}
	for _, name := range names {
		text, err := os.ReadFile(name)
		if err != nil {
			return nil, fmt.Errorf("read locale: %w", err)
		}
		var compact bytes.Buffer
		if err := json.Compact(&compact, text); err != nil {
			return nil, fmt.Errorf("locale %s: %w", name, err)
		}
		files[filepath.Base(name)] = compact.Bytes()
	}
	return files, nil
}

func write(files map[string][]byte) error {
	if err := os.RemoveAll(target); err != nil {
		return fmt.Errorf("clear %s: %w", target, err)
	}
	if err := os.MkdirAll(target, 0o755); err != nil {
		return fmt.Errorf("make %s: %w", target, err)
	}
	for name, content := range files {
		if err := os.WriteFile(filepath.Join(target, name), content, 0o644); err != nil {
			return fmt.Errorf("write %s: %w", name, err)
		}
	}
	return nil
}
