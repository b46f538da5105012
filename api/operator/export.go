package operator

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"golang.org/x/term"

	"earshot/models"
	"earshot/models/jobs"
	"earshot/models/store"
)

// Export is what the command "export PROJECT FILE" is told.
type Export struct {
	Project string `arg:"" help:"The project's key (pk_…)."`
	File    string `arg:"" help:"A file that does not exist yet; - for the terminal."`
	Format  string `help:"csv or jsonl." default:"csv" enum:"csv,jsonl"`
	Filter  string `help:"JSON with the filters of the list, such as {\"status\":\"new\"}."`
}

// Export writes a project's feedback to a file, also while the server runs.
func (d Data) Export(ctx context.Context, what Export, progress io.Writer) error {
	if err := d.mustExist(); err != nil {
		return err
	}
	return d.withStore(ctx, func(s *store.Store) error {
		project, err := s.ProjectByKey(ctx, what.Project)
		if models.CodeOf(err) == models.CodeNotFound {
			return fmt.Errorf("there is no project with the key %s", what.Project)
		}
		if err != nil {
			return err
		}
		job, err := models.NewExport(project.ID, "", models.ExportFormat(what.Format), json.RawMessage(what.Filter))
		if err != nil {
			return fmt.Errorf("--filter: %w", err)
		}
		out := d.Out
		if what.File != "-" {
			file, err := os.OpenFile(what.File, os.O_CREATE|os.O_EXCL|os.O_WRONLY, fileMode)
			if err != nil {
				return fmt.Errorf("export: %w", err)
			}
			defer func() { _ = file.Close() }() // closed below, where that counts
			out = file
		}
		bar := &progressBar{out: progress}
		err = jobs.Write(ctx, s, models.ScopeOf(project.OrganizationID), project.ID, job.Export, out, bar.show)
		bar.end()
		if file, ok := out.(*os.File); ok && what.File != "-" {
			err = errors.Join(err, file.Sync(), file.Close())
		}
		return err
	})
}

// progressBar draws how far something is on one line of a terminal; elsewhere it says
// at the end how far it came.
type progressBar struct {
	out   io.Writer
	drawn time.Time
	last  string
	shown bool // last is on the screen
}

const (
	barWidth    = 30
	barInterval = 100 * time.Millisecond
)

func (b *progressBar) show(done, total int64) {
	filled := int64(barWidth)
	if total > 0 {
		filled = barWidth * done / total
	}
	b.last = fmt.Sprintf("\r[%s%s] %d of %d", strings.Repeat("#", int(filled)), strings.Repeat(" ", barWidth-int(filled)), done, total)
	now := time.Now()
	if b.shown = onTerminal(b.out) && now.Sub(b.drawn) >= barInterval; b.shown {
		b.drawn = now
		_, _ = io.WriteString(b.out, b.last)
	}
}

func onTerminal(out io.Writer) bool {
	file, ok := out.(*os.File)
	return ok && term.IsTerminal(int(file.Fd()))
}

func (b *progressBar) end() {
	switch {
	case b.shown:
	case onTerminal(b.out):
		_, _ = io.WriteString(b.out, b.last)
	default:
		_, _ = io.WriteString(b.out, strings.TrimPrefix(b.last, "\r"))
	}
	_, _ = io.WriteString(b.out, "\n")
}
