package jobs

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"earshot/models"
	"earshot/models/store"
)

// upload stores a file and the job that imports it.
func (f *fixture) upload(what models.Import, content string) models.Job {
	f.t.Helper()
	job, err := models.NewImport(f.project.ID, f.user, what)
	if err != nil {
		f.t.Fatal(err)
	}
	if err := errors.Join(os.MkdirAll(f.folder, 0o700), os.WriteFile(Files{Folder: f.folder}.upload(job.ID), []byte(content), 0o600)); err != nil {
		f.t.Fatal(err)
	}
	if job, err = f.store.CreateJob(f.t.Context(), f.scope, job); err != nil {
		f.t.Fatal(err)
	}
	if f.runner != nil {
		f.runner.Wake()
	}
	return job
}

// items are the project's items, oldest first.
func (f *fixture) items() (all []*models.Feedback) {
	f.t.Helper()
	page := store.Page{Limit: store.MaxLimit}
	for first := true; first || page.Cursor != ""; first = false {
		list, err := f.store.FeedbackList(f.t.Context(), f.scope, f.project.ID, store.Filter{Sort: "created_at"}, page)
		if err != nil {
			f.t.Fatal(err)
		}
		all, page.Cursor = append(all, list.Items...), list.NextCursor
	}
	return all
}

func (f *fixture) report(job models.Job) string {
	f.t.Helper()
	content, err := os.ReadFile(Files{Folder: f.folder}.Path(job))
	if err != nil {
		f.t.Fatal(err)
	}
	return string(content)
}

const whole = `{"message":"One","page_url":"https://shop.example/","kind":"bug","rating":4,"email":"A@Example.com","name":" Ann ","status":"resolved",` +
	`"priority":"high","tags":["b","a"],"created_at":"2025-01-02T03:04:05.678Z","context":{"plan":"pro"},"unknown":1}`

func TestImportOfJSONLines(t *testing.T) {
	f := newFixture(t)
	f.start(f.store)
	job := f.finished(f.upload(models.Import{Format: models.ExportJSONL}, "\ufeff"+whole+"\n\n"+
		`{"message":"  "}`+"\n"+`[1]`+"\n"+`{"message":"Two","created_at":"2999-01-01"}`+"\n"+`{"message":"Three","rating":9}`+"\n"+
		`{"message":{"a":1}}`+"\n"+`{"message":"x`+strings.Repeat("y", maxRecord)+`"}`+"\n"+`{"message":"Last","kind":null}`).ID)
	if job.Status != models.JobSucceeded || job.Done != 8 || job.Total != 8 || job.Import.Refused != 6 {
		t.Fatalf("job = %+v", job)
	}
	want := "line,reason\r\n" + `"3","message must not be empty"` + "\r\n" + `"4","the line is not a JSON object"` + "\r\n" +
		`"5","created_at must not be in the future"` + "\r\n" + `"6","rating must be from 1 to 5"` + "\r\n" +
		`"7","message has not the right type"` + "\r\n" + `"8","the row is longer than 256 KiB"` + "\r\n"
	if got := f.report(job); got != want {
		t.Errorf("report =\n%swant\n%s", got, want)
	}
	items := f.items()
	if len(items) != 2 || items[1].Message != "Last" || items[1].CreatedAt.Sub(job.CreatedAt).Abs() > time.Millisecond {
		t.Fatalf("items = %+v, want One and Last", items)
	}
	one := items[0]
	if one.Message != "One" || one.Kind != models.KindBug || one.Rating != 4 || one.Email != "a@example.com" || one.Name != "Ann" ||
		one.Status != models.StatusResolved || one.Priority != models.PriorityHigh || !slices.Equal(one.Tags, []string{"a", "b"}) ||
		!one.CreatedAt.Equal(time.Date(2025, 1, 2, 3, 4, 5, 678e6, time.UTC)) || string(one.Context) != `{"plan":"pro"}` || !one.ID.Valid() {
		t.Errorf("item = %+v", one)
	}
	tagged, err := f.store.FeedbackList(t.Context(), f.scope, f.project.ID, store.Filter{Tag: "b"}, store.Page{Limit: 10})
	if err != nil || len(tagged.Items) != 1 {
		t.Errorf("%d items by tag (%v), want 1", len(tagged.Items), err)
	}
	if _, err := os.Stat(Files{Folder: f.folder}.upload(job.ID)); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the upload is still there: %v", err)
	}
	log, err := f.store.ReadLog(t.Context(), f.scope, f.project.ID, 0, 10)
	if err != nil || len(log) != 1 || log[0].Type != models.EventFeedbackImported || log[0].Imported.Count != 2 || log[0].Seq != 1 {
		t.Errorf("log = %+v (%v), want one event of 2 items", log, err)
	}
}

func TestImportOfCSV(t *testing.T) {
	for name, tc := range map[string]struct {
		mapping map[string]models.ImportField
		file    string
		want    []string // of each item: message, page, rating, tags
		refused string   // in the report
		failed  string
	}{
		"by names": {
			file: "Rating;Comment;URL;Labels\r\n5;\"Two\nlines; and \"\"quotes\"\"\";https://a.example/x;b, a\r\n;Short;;\r\n",
			want: []string{"Short||0|[]", "Two\nlines; and \"quotes\"|https://a.example/x|5|[a b]"},
		},
		"mapped": {
			mapping: map[string]models.ImportField{"what": models.ImportMessage, "message": models.ImportNothing},
			file:    "message,what\nno,yes\n",
			want:    []string{"yes||0|[]"},
		},
		"tabs and a mark": {file: "\ufeffmessage\tscore\nGood\t3\n", want: []string{"Good||3|[]"}},
		"neutralised":     {file: "message\n'=1+1\n'quoted'\n", want: []string{"'quoted'||0|[]", "=1+1||0|[]"}},
		"bad rows": {
			file:    "message,rating\nok,1\nbad \"quote\",2\n\xff,3\nlate,x\nfine,\n",
			want:    []string{"fine||0|[]", "ok||1|[]"},
			refused: "\"3\",\"the quotes of the row do not match\"\r\n\"4\",\"message is not UTF-8\"\r\n\"5\",\"rating must be from 1 to 5\"\r\n",
		},
		"no message":    {file: "subject,url\na,b\n", failed: "no column is the message"},
		"empty":         {file: "", failed: "the names of its columns"},
		"wrong mapping": {mapping: map[string]models.ImportField{"nope": models.ImportName}, file: "message\nx\n", failed: `no column "nope"`},
		"never closed":  {file: "message\nfirst\n\"" + strings.Repeat("x", 2*maxRecord), failed: "a quote is never closed"},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t)
			f.start(f.store)
			job := f.finished(f.upload(models.Import{Format: models.ExportCSV, Mapping: tc.mapping}, tc.file).ID)
			if tc.failed != "" {
				if job.Status != models.JobFailed || !strings.Contains(job.Error, tc.failed) {
					t.Fatalf("job = %+v, want it failed for %q", job, tc.failed)
				}
				return
			}
			var got []string
			for _, item := range f.items() {
				got = append(got, fmt.Sprintf("%s|%s|%d|%v", item.Message, item.PageURL, item.Rating, item.Tags))
			}
			slices.Sort(got)
			if job.Status != models.JobSucceeded || !slices.Equal(got, tc.want) {
				t.Fatalf("items = %q, want %q; %+v", got, tc.want, job)
			}
			if report := f.report(job); report != "line,reason\r\n"+tc.refused {
				t.Errorf("report = %q, want %q", report, tc.refused)
			}
		})
	}
}

// What was exported comes back as it was, in both formats.
func TestImportOfAnExport(t *testing.T) {
	for _, format := range []models.ExportFormat{models.ExportCSV, models.ExportJSONL} {
		f := newFixture(t)
		f.submit("=SUM(A1)", "two\nlines, \"quotes\" 'and' 合計 🙂", "-1", "'kept'", "\uFF1Dwide")
		var file bytes.Buffer
		if err := Write(t.Context(), f.store, f.scope, f.project.ID, models.Export{Format: format}, &file, func(int64, int64) {}); err != nil {
			t.Fatal(err)
		}
		before := f.items()
		other := &models.Project{Name: "Copy", Settings: models.DefaultSettings()}
		if err := errors.Join(other.Normalize(), f.store.CreateProject(t.Context(), f.scope, other)); err != nil {
			t.Fatal(err)
		}
		f.project = other
		f.start(f.store)
		if job := f.finished(f.upload(models.Import{Format: format}, file.String()).ID); job.Status != models.JobSucceeded || job.Import.Refused > 0 {
			t.Fatalf("%s: job = %+v\n%s", format, job, f.report(job))
		}
		key := func(a *models.Feedback) string {
			return fmt.Sprint(a.Message, a.PageURL, a.Rating, a.CreatedAt, string(a.Context), a.Status, a.Priority)
		}
		keys := func(items []*models.Feedback) (all []string) {
			for _, item := range items {
				all = append(all, key(item))
			}
			slices.Sort(all)
			return all
		}
		if got, want := keys(f.items()), keys(before); !slices.Equal(got, want) {
			t.Errorf("%s: came back as\n%q, want\n%q", format, got, want)
		}
	}
}

// dying is a store whose server ends at some batch.
type dying struct {
	*store.Store
	left int
	end  context.CancelFunc
}

func (d *dying) ImportRows(ctx context.Context, lease *store.Lease, rows []models.ImportedRow) (bool, error) {
	if d.left--; d.left < 0 {
		d.end()
		return false, context.Canceled
	}
	return d.Store.ImportRows(ctx, lease, rows)
}

// However often the server ends, each row is there once, and each refused one is
// in the report once.
func TestImportIsTakenUpAgain(t *testing.T) {
	for _, format := range []models.ExportFormat{models.ExportCSV, models.ExportJSONL} {
		f := newFixture(t)
		var file strings.Builder
		const rows = 5*store.ImportBatch + 7
		if format == models.ExportCSV {
			file.WriteString("message,rating\n")
		}
		refused := 0
		for i := range rows {
			rating := "3"
			if i%50 == 17 {
				rating, refused = "7", refused+1
			}
			if format == models.ExportCSV {
				fmt.Fprintf(&file, "\"item %d\nof many\",%s\n", i, rating)
			} else {
				fmt.Fprintf(&file, `{"message":"item %d","rating":%s}`+"\n", i, rating)
			}
		}
		job := f.upload(models.Import{Format: format}, file.String())
		for batches := range 3 { // the server ends at once, after one batch, after two
			ctx, cancel := context.WithCancel(t.Context())
			f.restarted()
			s := &dying{Store: f.store, left: batches, end: cancel}
			lease, err := f.store.LeaseJob(ctx)
			if err != nil || lease == nil {
				t.Fatalf("lease: %v", err)
			}
			r := &Runner{Options: Options{Store: s, Files: Files{Folder: f.folder}, Log: slog.New(slog.DiscardHandler), Notify: f.notify}}
			r.do(ctx, lease)
		}
		f.restarted()
		f.start(f.store)
		job = f.finished(job.ID)
		if job.Status != models.JobSucceeded || job.Done != rows || job.Import.Refused != int64(refused) {
			t.Fatalf("%s: job = %+v, want %d done, %d refused", format, job, rows, refused)
		}
		if got := len(f.items()); got != rows-refused {
			t.Errorf("%s: %d items, want %d", format, got, rows-refused)
		}
		if lines := strings.Count(f.report(job), "\r\n"); lines != refused+1 {
			t.Errorf("%s: the report has %d lines, want %d", format, lines, refused+1)
		}
	}
}

func TestDryRunTakesNothing(t *testing.T) {
	f := newFixture(t)
	f.start(f.store)
	job := f.finished(f.upload(models.Import{Format: models.ExportJSONL, DryRun: true}, whole+"\n{}\n").ID)
	if job.Status != models.JobSucceeded || job.Done != 2 || job.Import.Refused != 1 || len(f.items()) != 0 {
		t.Errorf("job = %+v with %d items, want one refused and none taken", job, len(f.items()))
	}
	if log, err := f.store.ReadLog(t.Context(), f.scope, f.project.ID, 0, 10); err != nil || len(log) != 0 {
		t.Errorf("log = %+v (%v), want nothing told", log, err)
	}
}

func TestImportWithoutItsFile(t *testing.T) {
	f := newFixture(t)
	job := f.upload(models.Import{Format: models.ExportJSONL}, whole)
	if err := os.Remove(filepath.Join(f.folder, string(job.ID)+".upload")); err != nil {
		t.Fatal(err)
	}
	f.start(f.store)
	if job = f.finished(job.ID); job.Status != models.JobFailed || !strings.Contains(job.Error, "upload it again") {
		t.Errorf("job = %+v, want it failed", job)
	}
}

func FuzzRecords(f *testing.F) {
	f.Add("csv", "message,rating\n\"a\nb\",1\n")
	f.Add("jsonl", whole)
	f.Add("csv", "\ufeffmessage;x\n\";\n")
	f.Fuzz(func(t *testing.T, format, content string) {
		rows, err := openRecords(strings.NewReader(content), models.Import{Format: models.ExportFormat(format)}, 0)
		if err != nil {
			return
		}
		for n := 0; n <= len(content)+1; n++ {
			before := rows.offset()
			row, err := rows.next()
			if err != nil && row.Line == 0 {
				return
			}
			if rows.offset() <= before || rows.offset() > int64(len(content)) {
				t.Fatalf("from %d to %d of %d bytes", before, rows.offset(), len(content))
			}
			if err == nil && row.Normalize(models.NewID(), time.Now()) == nil && !json.Valid([]byte(`"`+string(row.Submission.ID)+`"`)) {
				t.Fatal("bad id")
			}
		}
		t.Fatal("there is no end")
	})
}
