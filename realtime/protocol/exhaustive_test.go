package protocol

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// Adding an event and not handling it has to fail, in Go and in TypeScript.
// This adds one to a copy of the module and looks who complains. The unchanged
// copy is the control: there nobody may.

const (
	knockedType = "\n// Knocked is an event that nobody handles.\ntype Knocked struct{}\n\n" +
		"func (Knocked) visitorClientEvent() string   { return \"Knocked\" }\n" +
		"func (Knocked) visitorServerEvent() string   { return \"Knocked\" }\n" +
		"func (Knocked) dashboardClientEvent() string { return \"Knocked\" }\n" +
		"func (Knocked) dashboardServerEvent() string { return \"Knocked\" }\n"

	// printSchemas is a program for the copy: the events' schemas as a document.
	printSchemas = `package main

import (
	"encoding/json"
	"os"

	"earshot/realtime/protocol"

	"github.com/danielgtaylor/huma/v2"
)

func main() {
	registry := huma.NewMapRegistry("#/components/schemas/", huma.DefaultSchemaNamer)
	protocol.AddSchemas(registry)
	document := map[string]any{
		"openapi": "3.1.0", "info": map[string]string{"title": "events", "version": "1"}, "paths": map[string]any{},
		"components": map[string]any{"schemas": registry.Map()},
	}
	if err := json.NewEncoder(os.Stdout).Encode(document); err != nil {
		panic(err)
	}
}
`

	// overlay takes the events' types from what is generated here, and the rest
	// from the committed file, whatever else that holds.
	overlay = `import type { components as committed } from "./committed.gen";
import type { components as events } from "./events.gen";

export type * from "./committed.gen";
export interface components extends Omit<committed, "schemas"> {
  schemas: Omit<committed["schemas"], keyof events["schemas"]> & events["schemas"];
}
`
)

func TestUnhandledEventBreaksTheBuild(t *testing.T) {
	c := newCopy(t)

	t.Run("control", func(t *testing.T) {
		c.mustPass(t, "the sums' test", c.sumsTest())
		c.mustPass(t, "the check of the switches", c.checkSwitches())
		c.generateTypes(t)
		c.mustPass(t, "widget's types", c.typecheck("widget"))
		c.mustPass(t, "admin's types", c.typecheck("admin"))
	})
	if t.Failed() {
		return
	}

	c.append(t, "realtime/protocol/shared.go", knockedType)
	c.mustFail(t, "the sums' test, without the event in its lists", c.sumsTest(), `Knocked`)

	c.replace(t, "realtime/protocol/protocol.go", "Ping{})", "Ping{}, Knocked{})")
	c.replace(t, "realtime/protocol/protocol.go", "Pong{})", "Pong{}, Knocked{})")
	c.mustPass(t, "the sums' test, with the event in its lists", c.sumsTest())
	c.mustFail(t, "the switches over events", c.checkSwitches(), `"VisitorClientEvent".*Knocked`, `"DashboardClientEvent".*Knocked`)

	c.generateTypes(t)
	c.mustFail(t, "widget's types", c.typecheck("widget"), `error TS2345.*"Knocked"|error TS2345.*VisitorServerKnocked|error TS2345.*'never'`)
	c.mustFail(t, "admin's types", c.typecheck("admin"), `error TS2345.*"Knocked"|error TS2345.*DashboardServerKnocked|error TS2345.*'never'`)
}

// moduleCopy is the part of the module that knows events.
type moduleCopy struct {
	root    string
	checker string // go-check-sumtype
	node    string
}

func newCopy(t *testing.T) *moduleCopy {
	t.Helper()
	module, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	c := &moduleCopy{root: t.TempDir(), checker: tool(t, "go-check-sumtype"), node: tool(t, "node")}
	for _, from := range []string{"go.mod", "go.sum", "models", "migrations", "realtime", "widget/src", "admin/src"} {
		copyTree(t, filepath.Join(module, from), filepath.Join(c.root, from))
	}
	for _, folder := range []string{"realtime/protocol/ts", "widget", "admin"} {
		packages := filepath.Join(module, folder, "node_modules")
		if _, err := os.Stat(packages); err != nil {
			missing(t, "the npm packages of "+folder+" are not installed (npm ci)")
		}
		for _, name := range []string{"package.json", "tsconfig.json"} {
			copyTree(t, filepath.Join(module, folder, name), filepath.Join(c.root, folder, name))
		}
		if err := os.Symlink(packages, filepath.Join(c.root, folder, "node_modules")); err != nil {
			t.Fatal(err)
		}
	}
	c.write(t, "realtime/protocol/printschemas/main.go", printSchemas)
	c.write(t, "realtime/protocol/ts/committed.gen.ts", c.read(t, "realtime/protocol/ts/schema.gen.ts"))
	c.write(t, "realtime/protocol/ts/schema.gen.ts", overlay)
	return c
}

func tool(t *testing.T, name string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		missing(t, name+" is not installed")
	}
	return path
}

// missing skips, except where the tools are promised to be there.
func missing(t *testing.T, what string) {
	t.Helper()
	if os.Getenv("EARSHOT_TEST_TOOLS") == "required" {
		t.Fatalf("%s, and EARSHOT_TEST_TOOLS=required", what)
	}
	t.Skipf("%s; EARSHOT_TEST_TOOLS=required makes this a failure", what)
}

// copyTree leaves out what the copy does not build: node_modules, the load test
// and other packages' tests.
func copyTree(t *testing.T, from, to string) {
	t.Helper()
	err := filepath.WalkDir(from, func(path string, entry os.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if entry.IsDir() {
			if entry.Name() == "node_modules" || entry.Name() == "loadtest" {
				return filepath.SkipDir
			}
			return nil
		}
		if strings.HasSuffix(path, "_test.go") && entry.Name() != "sums_test.go" {
			return nil
		}
		rel, err := filepath.Rel(from, path)
		if err != nil {
			return err
		}
		content, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		target := filepath.Join(to, rel)
		if err := os.MkdirAll(filepath.Dir(target), 0o700); err != nil {
			return err
		}
		return os.WriteFile(target, content, 0o600)
	})
	if err != nil {
		t.Fatal(err)
	}
}

func (c *moduleCopy) write(t *testing.T, name, content string) {
	t.Helper()
	path := filepath.Join(c.root, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
}

func (c *moduleCopy) read(t *testing.T, name string) string {
	t.Helper()
	content, err := os.ReadFile(filepath.Join(c.root, name))
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}

func (c *moduleCopy) append(t *testing.T, name, text string) {
	t.Helper()
	c.write(t, name, c.read(t, name)+text)
}

func (c *moduleCopy) replace(t *testing.T, name, old, text string) {
	t.Helper()
	before := c.read(t, name)
	if !strings.Contains(before, old) {
		t.Fatalf("%s has no %q to replace", name, old)
	}
	c.write(t, name, strings.ReplaceAll(before, old, text))
}

func (c *moduleCopy) command(folder, name string, args ...string) *exec.Cmd {
	cmd := exec.Command(name, args...)
	cmd.Dir = filepath.Join(c.root, folder)
	return cmd
}

func (c *moduleCopy) sumsTest() *exec.Cmd {
	return c.command("", "go", "test", "-run", "TestSumsListEveryEvent|TestSchemasHaveEveryEvent", "./realtime/protocol")
}

func (c *moduleCopy) checkSwitches() *exec.Cmd {
	return c.command("", c.checker, "-default-signifies-exhaustive=false", "./realtime/...")
}

func (c *moduleCopy) typecheck(folder string) *exec.Cmd {
	return c.command(folder, c.node, "node_modules/typescript/bin/tsc", "--noEmit")
}

func (c *moduleCopy) generateTypes(t *testing.T) {
	t.Helper()
	document, err := c.command("", "go", "run", "./realtime/protocol/printschemas").Output()
	if err != nil {
		t.Fatalf("print the schemas: %v", err)
	}
	c.write(t, "realtime/protocol/ts/events.json", string(document))
	c.mustPass(t, "openapi-typescript", c.command("realtime/protocol/ts",
		c.node, "node_modules/openapi-typescript/bin/cli.js", "events.json", "--output", "events.gen.ts"))
}

func (c *moduleCopy) mustPass(t *testing.T, what string, cmd *exec.Cmd) {
	t.Helper()
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%s: %v, want success:\n%s", what, err, out)
	}
}

// mustFail wants all the reasons in what a failing command says.
func (c *moduleCopy) mustFail(t *testing.T, what string, cmd *exec.Cmd, patterns ...string) {
	t.Helper()
	out, err := cmd.CombinedOutput()
	if err == nil {
		t.Errorf("%s: passed although Knocked is handled nowhere:\n%s", what, out)
		return
	}
	for _, pattern := range patterns {
		if !regexp.MustCompile(pattern).Match(out) {
			t.Errorf("%s: failed (%v) for another reason than %s:\n%s", what, err, pattern, out)
		}
	}
}
