// Gen writes the documents of the interface and the TypeScript made from them.
// It runs in the folder of package api.
package main

import (
	"fmt"
	"os"
	"os/exec"

	"earshot/api"
)

// typescript is the folder of the TypeScript that both front ends share; its
// node_modules have the generator.
const typescript = "../realtime/protocol/ts"

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "gen:", err)
		os.Exit(1)
	}
}

func run() error {
	openAPI, asyncAPI, err := api.Documents()
	if err != nil {
		return fmt.Errorf("make documents: %w", err)
	}
	for name, content := range map[string][]byte{"openapi.json": openAPI, "asyncapi.json": asyncAPI} {
		if err := os.WriteFile(name, content, 0o644); err != nil { //nolint:gosec // sources are for everybody
			return err
		}
	}
	command := exec.Command("npx", "--no-install", "openapi-typescript", "../../../api/openapi.json", "--output", "schema.gen.ts")
	command.Dir, command.Stdout, command.Stderr = typescript, os.Stdout, os.Stderr
	if err := command.Run(); err != nil {
		return fmt.Errorf("make TypeScript: %w", err)
	}
	return nil
}
