package operator

import (
	"context"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"time"

	"earshot/api/config"
)

// Status is how a check went.
type Status string

// The statuses. Only a problem makes the command fail.
const (
	Fine    Status = "ok"
	Warning Status = "warning"
	Bad     Status = "problem"
	Skipped Status = "skipped"
)

// Finding is what a check found, and what to do about it.
type Finding struct {
	Check  string `json:"check"`
	Status Status `json:"status"`
	Found  string `json:"found"`
	Advice string `json:"advice,omitempty"`
}

// Doctor is the command "doctor": it looks at everything that a server needs, before
// there is one or while it runs, and changes nothing.
type Doctor struct {
	Data
	Config config.Config
	Stores config.Stores
	// Problems are what is wrong with the settings.
	Problems []error
	Version  string
	Now      func() time.Time
	// Roots vouch for the public address and the mail server; the system's where nil.
	Roots *x509.CertPool
}

const (
	// checkTimeout bounds each check.
	checkTimeout = 15 * time.Second
	// integrityTimeout bounds the look at all pages of a large database.
	integrityTimeout = 10 * time.Minute
)

// Examine makes all checks. Those that need what another found missing are skipped.
func (d Doctor) Examine(ctx context.Context) []Finding {
	findings := d.checkSettings()
	for _, check := range []struct {
		examine func(context.Context) []Finding
		within  time.Duration
	}{
		{d.checkFolder, checkTimeout}, {d.checkSecret, checkTimeout}, {d.checkDatabase, integrityTimeout}, {d.checkFiles, checkTimeout}, {d.checkNATS, checkTimeout},
		{d.checkBackups, checkTimeout}, {d.checkMail, 2 * checkTimeout}, {d.checkServer, checkTimeout}, {d.checkPublic, checkTimeout},
	} {
		within, cancel := context.WithTimeout(ctx, check.within)
		findings = append(findings, check.examine(within)...)
		cancel()
	}
	return findings
}

// Run examines and reports, as JSON where asked for. Its error counts the problems.
func (d Doctor) Run(ctx context.Context, asJSON, colors bool) error {
	findings := d.Examine(ctx)
	problems := 0
	for _, finding := range findings {
		if finding.Status == Bad {
			problems++
		}
	}
	var err error
	if asJSON {
		encoder := json.NewEncoder(d.Out)
		encoder.SetIndent("", "  ")
		encoder.SetEscapeHTML(false)
		err = encoder.Encode(struct {
			Version  string    `json:"version"`
			OK       bool      `json:"ok"`
			Findings []Finding `json:"findings"`
		}{d.Version, problems == 0, findings})
	} else {
		err = report(d.Out, d.Version, findings, colors)
	}
	switch {
	case err != nil:
		return fmt.Errorf("report: %w", err)
	case problems == 1:
		return fmt.Errorf("there is a problem")
	case problems > 1:
		return fmt.Errorf("there are %d problems", problems)
	}
	return nil
}

// marks are what stands before a finding, with its colour
// (https://en.wikipedia.org/wiki/ANSI_escape_code#Colors).
var marks = map[Status]struct{ mark, color string }{
	Fine: {"✓", "\x1b[32m"}, Warning: {"!", "\x1b[33m"}, Bad: {"✗", "\x1b[31m"}, Skipped: {"-", "\x1b[2m"},
}

// Colors reports whether out is a terminal that shows colours, to somebody who wants
// them (https://no-color.org).
func Colors(getenv func(string) string, out io.Writer) bool {
	file, ok := out.(*os.File)
	if !ok || getenv("NO_COLOR") != "" || getenv("TERM") == "dumb" {
		return false
	}
	info, err := file.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}

const plain = "\x1b[0m"

func report(out io.Writer, version string, findings []Finding, colors bool) error {
	text := fmt.Appendf(nil, "\nEarshot %s\n\n", version)
	last := ""
	for _, finding := range findings {
		mark := marks[finding.Status].mark
		if colors {
			mark = marks[finding.Status].color + mark + plain
		}
		name := finding.Check
		if name == last { // another word on the same
			name = ""
		}
		last = finding.Check
		text = fmt.Appendf(text, "  %s %-15s %s\n", mark, name, finding.Found)
		if finding.Advice != "" {
			text = fmt.Appendf(text, "    %-15s → %s\n", "", finding.Advice)
		}
	}
	_, err := out.Write(append(text, '\n'))
	return err
}

func ok(check, format string, args ...any) Finding {
	return Finding{Check: check, Status: Fine, Found: fmt.Sprintf(format, args...)}
}

func warn(check, found, advice string) Finding { return Finding{check, Warning, found, advice} }

func bad(check, found, advice string) Finding { return Finding{check, Bad, found, advice} }

func skip(check, why string) Finding { return Finding{Check: check, Status: Skipped, Found: why} }
