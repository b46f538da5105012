package main

import (
	"encoding/json"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/evanw/esbuild/pkg/api"
)

// sharing keeps in one file what the page loads at its start. esbuild makes a file of its own for each set of pages that
// share something: with each page more of what all have falls into small files, and each costs the first route a request.
// So every part that is loaded later asks for all of it, which it has anyway.
//
// first is what the entry imports statically, of which start names the paths. Paths are relative to the folder: names
// carry hashes, and no machine's own paths may be in them.
func sharing(first []string, folder string) api.Plugin {
	const later, asked = "later", "asked"
	return api.Plugin{Name: "sharing", Setup: func(build api.PluginBuild) {
		build.OnResolve(api.OnResolveOptions{Filter: "."}, func(args api.OnResolveArgs) (api.OnResolveResult, error) {
			if args.Kind != api.ResolveJSDynamicImport || args.PluginData == asked {
				return api.OnResolveResult{}, nil
			}
			found := build.Resolve(args.Path, api.ResolveOptions{ResolveDir: args.ResolveDir, Kind: args.Kind, Importer: args.Importer, PluginData: asked})
			if len(found.Errors) > 0 {
				return api.OnResolveResult{Errors: found.Errors}, nil
			}
			path, err := filepath.Rel(folder, found.Path)
			return api.OnResolveResult{Path: filepath.ToSlash(path), Namespace: later}, err
		})
		build.OnLoad(api.OnLoadOptions{Filter: ".", Namespace: later}, func(args api.OnLoadArgs) (api.OnLoadResult, error) {
			var text strings.Builder
			for _, path := range first {
				fmt.Fprintf(&text, "import %q;\n", "./"+path)
			}
			fmt.Fprintf(&text, "export * from %q;\n", "./"+args.Path)
			contents := text.String()
			return api.OnLoadResult{Contents: &contents, ResolveDir: folder}, nil
		})
	}}
}

// start lists what an entry imports statically, directly or not, in a fixed order: the output is to be deterministic.
func start(options api.BuildOptions, entry string) ([]string, error) {
	options.EntryPointsAdvanced = []api.EntryPoint{{InputPath: entry}}
	options.Metafile = true
	options.Plugins = []api.Plugin{{Name: "start", Setup: externalLater}}
	result := api.Build(options)
	if len(result.Errors) > 0 {
		return nil, fmt.Errorf("%d errors, the first: %s", len(result.Errors), result.Errors[0].Text)
	}
	var meta struct {
		Inputs map[string]json.RawMessage `json:"inputs"`
	}
	if err := json.Unmarshal([]byte(result.Metafile), &meta); err != nil {
		return nil, fmt.Errorf("read what %s imports: %w", entry, err)
	}
	var paths []string
	for path := range meta.Inputs {
		// Packages and tables come along with those of ours that import them.
		if path != entry && !strings.HasPrefix(path, "node_modules/") && !strings.HasSuffix(path, ".json") {
			paths = append(paths, path)
		}
	}
	slices.Sort(paths)
	return paths, nil
}

// externalLater leaves out what is loaded later.
func externalLater(build api.PluginBuild) {
	build.OnResolve(api.OnResolveOptions{Filter: "."}, func(args api.OnResolveArgs) (api.OnResolveResult, error) {
		if args.Kind == api.ResolveJSDynamicImport {
			return api.OnResolveResult{Path: args.Path, External: true}, nil
		}
		return api.OnResolveResult{}, nil
	})
}
