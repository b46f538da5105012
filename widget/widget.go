// Package widget holds the visitor's widget as it is served: one script, alone for pinned addresses or with a project's
// public configuration baked in, others that it loads when it first needs them, and a dictionary a language.
package widget

import (
	"bytes"
	"crypto/sha256"
	"crypto/sha512"
	"embed"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
)

//go:generate go run ./build

//go:embed dist/core.js
var core string

//go:embed dist/version
var version string

//go:embed dist/live.js dist/mend.js dist/shot.js dist/talk.js
var chunks embed.FS

//go:embed dist/*.json
var locales embed.FS

// suffix ends the script: a call of the function that it is, without a configuration.
const suffix = "(null);\n"

// localeName keeps requests for anything but a language away from the embedded files.
var localeName = regexp.MustCompile(`^[a-z]{2}$`)

// ErrConfig is wrapped by the error of Script for a configuration that is not a JSON object.
var ErrConfig = errors.New("widget: configuration is not a JSON object")

// Version names this build in pinned addresses: a hash over the scripts and their dictionaries, 16 hex digits.
func Version() string { return version }

// Core returns the script without a project, for the pinned address /w/v/<Version>/core.js. It may be cached for ever.
func Core() []byte { return []byte(core) }

// Chunks returns the modules that Core loads when it first needs them, by their names at /w/v/<Version>/<name>: live.js
// with the panel, talk.js for who has conversations, shot.js for a picture of the page, mend.js after a refusal.
func Chunks() map[string][]byte {
	files, err := chunks.ReadDir("dist")
	if err != nil {
		return nil // what is embedded is there
	}
	all := make(map[string][]byte, len(files))
	for _, file := range files {
		if content, err := chunks.ReadFile("dist/" + file.Name()); err == nil {
			all[file.Name()] = content
		}
	}
	return all
}

// Integrity returns the value of the integrity attribute that goes with Core.
func Integrity() string {
	sum := sha512.Sum384([]byte(core))
	return "sha384-" + base64.StdEncoding.EncodeToString(sum[:])
}

// Locale returns the dictionary of a language as JSON, for /w/v/<Version>/<name>.json and for the member "strings" of a
// configuration; false where there is none. The language "auto" is not one: bake "en", the widget loads what it needs.
func Locale(name string) ([]byte, bool) {
	if !localeName.MatchString(name) {
		return nil, false
	}
	content, err := locales.ReadFile("dist/" + name + ".json")
	return content, err == nil
}

// Script returns the widget with a project's public configuration, a JSON object, baked in. The configuration is data
// to the browser whatever it contains: it goes through JSON.parse, so that a member "__proto__" is only a member.
func Script(config []byte) ([]byte, error) {
	var compact, escaped bytes.Buffer
	if err := json.Compact(&compact, bytes.ToValidUTF8(config, []byte("\uFFFD"))); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrConfig, err)
	}
	if compact.Len() == 0 || compact.Bytes()[0] != '{' {
		return nil, ErrConfig
	}
	// Escapes < > & and U+2028, U+2029, as JSON may, which leaves backslash and quote to JavaScript.
	json.HTMLEscape(&escaped, compact.Bytes())
	text := bytes.ReplaceAll(escaped.Bytes(), []byte(`\`), []byte(`\\`))
	text = bytes.ReplaceAll(text, []byte(`'`), []byte(`\'`))

	script := make([]byte, 0, len(core)+len(text)+32)
	script = append(script, core[:len(core)-len(suffix)]...)
	script = append(script, "(JSON.parse('"...)
	script = append(script, text...)
	return append(script, "'));\n"...), nil
}

// ETag returns a strong entity tag for a body, quotes included.
func ETag(body []byte) string {
	sum := sha256.Sum256(body)
	return `"` + base64.RawURLEncoding.EncodeToString(sum[:16]) + `"`
}
