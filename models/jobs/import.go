package jobs

import (
	"bufio"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"time"

	"earshot/models"
	"earshot/models/store"
)

// importPlace is where an import goes on.
type importPlace struct {
	Offset   int64  `json:"offset"` // in the file
	Imported int64  `json:"imported"`
	Part     string `json:"part"`   // of the report, see Files.part
	Report   int64  `json:"report"` // how long the report is
}

// saidRefusals is how many refused rows are told of as they come; all of them are
// in the report.
const saidRefusals = 100

// importing is an import under way.
type importing struct {
	*task
	place  importPlace
	rows   records
	file   *os.File
	report *os.File
	out    *bufio.Writer // of the report
	batch  []models.ImportedRow
}

// imports takes a file's rows in, a batch at a time. Each batch keeps the place
// behind it in its own transaction; a row that is not right is named in the report,
// and the others are taken all the same.
func (t *task) imports(ctx context.Context) (err error) {
	in := &importing{task: t}
	if err := in.open(ctx); err != nil {
		return err
	}
	part := t.part(t.lease.Job.ID, in.place.Part)
	defer func() { err = errors.Join(err, in.file.Close(), in.report.Close()) }()
	if err := in.count(ctx); err != nil {
		return err
	}
	err = in.run(ctx)
	if ctx.Err() != nil || err != nil && unwritable(err) {
		return err // it goes on later
	}
	job := &t.lease.Job
	if in.place.Imported > 0 { // also of an import that ends early: what it took in stays
		if telling := t.Store.TellImported(ctx, *job, in.place.Imported); telling != nil {
			return errors.Join(err, telling)
		}
	}
	if t.Shared != nil && job.Import.Refused > 0 {
		if sharing := t.share(ctx, part, t.Path(*job)); sharing != nil {
			return errors.Join(err, sharing)
		}
	}
	if naming := os.Rename(part, t.Path(*job)); naming != nil {
		return errors.Join(err, fmt.Errorf("name report: %w", naming))
	}
	if job.Import.DryRun {
		t.say("Nothing was imported: %d rows are right, %d are not.", job.Done-job.Import.Refused, job.Import.Refused)
	} else {
		t.say("Imported %d rows, refused %d.", in.place.Imported, job.Import.Refused)
	}
	return err
}

func (in *importing) open(ctx context.Context) (err error) {
	job := &in.lease.Job
	if len(job.Checkpoint) > 0 {
		if err := json.Unmarshal(job.Checkpoint, &in.place); err != nil {
			return fmt.Errorf("read checkpoint: %w", err)
		}
	}
	if in.file, err = in.openUpload(ctx, job.ID); err != nil {
		return fmt.Errorf("open import: %w", err)
	}
	if err = in.openReport(); err != nil {
		return errors.Join(fmt.Errorf("open report: %w", err), in.file.Close())
	}
	in.out = bufio.NewWriter(in.report)
	return nil
}

// openReport gives the report as it was when the job last kept its place. Where
// another server has written it, it is begun anew, and says so.
func (in *importing) openReport() (err error) {
	told := ""
	info, gone := os.Stat(in.part(in.lease.Job.ID, in.place.Part))
	if gone != nil || info.Size() < in.place.Report {
		if in.place.Report > 0 {
			told = "line,reason\r\n,\"What was refused before went on with another server, and is not in this report.\"\r\n"
		}
		in.place.Part, in.place.Report = newPart(), 0
	}
	in.report, err = os.OpenFile(in.part(in.lease.Job.ID, in.place.Part), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return err
	}
	err = in.report.Truncate(in.place.Report)
	if err == nil {
		_, err = in.report.Seek(0, io.SeekEnd)
	}
	if err == nil {
		_, err = in.report.WriteString(told)
	}
	if err != nil {
		return errors.Join(err, in.report.Close())
	}
	in.place.Report += int64(len(told))
	return nil
}

// count reads the file once to its end, so that people can see how far it is.
func (in *importing) count(ctx context.Context) error {
	job := &in.lease.Job
	if job.Total == 0 {
		rows, err := openRecords(in.file, job.Import, 0)
		if err != nil {
			return err
		}
		for ; ctx.Err() == nil; job.Total++ {
			if _, err := rows.next(); err == io.EOF { //nolint:errorlint // it comes as it is
				break
			} else if err != nil && (errors.Is(err, errUnclosed) || !errors.As(err, new(*models.Error))) {
				return err // neither a row's own fault nor gone with the next one
			}
		}
		in.say("Importing %d rows.", job.Total)
		if in.place.Report == 0 {
			_, _ = in.out.WriteString("line,reason\r\n") // an error stays until Flush
		}
	}
	var err error
	in.rows, err = openRecords(in.file, job.Import, in.place.Offset)
	return cmp.Or(ctx.Err(), err)
}

func (in *importing) run(ctx context.Context) error {
	job := &in.lease.Job
	for {
		row, err := in.rows.next()
		if err == io.EOF { //nolint:errorlint // it comes as it is
			return in.keep(ctx)
		}
		job.Done++
		if err == nil {
			err = row.Normalize(job.ID, job.CreatedAt)
		}
		var readable *models.Error
		switch {
		case errors.Is(err, errUnclosed):
			return errors.Join(in.keep(ctx), err)
		case errors.As(err, &readable):
			in.refuse(row.Line, reason(readable))
		case err != nil:
			return fmt.Errorf("read import: %w", err)
		default:
			in.batch = append(in.batch, row)
		}
		if len(in.batch) == store.ImportBatch || job.Done%(10*store.ImportBatch) == 0 {
			if err := in.keep(ctx); err != nil {
				return err
			}
		}
	}
}

func (in *importing) refuse(line int64, reason string) {
	job := &in.lease.Job
	job.Import.Refused++
	if job.Import.Refused <= saidRefusals {
		in.say("Line %d: %s.", line, reason)
	}
	_ = csvRows{in.out}.line(strconv.FormatInt(line, 10), reason) // an error stays until Flush
}

// reason is why a row was refused. It names the field and never what it holds.
func reason(err *models.Error) string {
	if len(err.Fields) > 0 {
		return err.Fields[0].Path + " " + err.Fields[0].Message
	}
	return err.Message
}

// keepReport has the report on disk before the place behind it is kept.
func (in *importing) keepReport() (size int64, err error) {
	if in.out.Buffered() > 0 {
		err = cmp.Or(in.out.Flush(), in.report.Sync())
	}
	if err == nil {
		size, err = in.report.Seek(0, io.SeekCurrent)
	}
	return size, err
}

// keep takes in what was read, and the place behind it. Then it rests for as long
// as that took: whoever submits something waits for the same writer.
func (in *importing) keep(ctx context.Context) error {
	began := time.Now()
	job := &in.lease.Job
	size, err := in.keepReport()
	if err != nil {
		return fmt.Errorf("write report: %w", err)
	}
	taken := in.batch
	if job.Import.DryRun {
		taken = nil
	}
	in.place.Offset, in.place.Report = in.rows.offset(), size
	in.place.Imported += int64(len(taken))
	if job.Checkpoint, err = json.Marshal(in.place); err != nil {
		return err
	}
	cancelling, err := in.Store.ImportRows(ctx, in.lease, taken)
	if err != nil {
		in.place.Imported -= int64(len(taken))
		return err
	}
	in.batch = in.batch[:0]
	if time.Since(in.saved) > saveInterval || job.Done == job.Total {
		in.saved = time.Now()
		in.Notify(Progress{*job})
	}
	if cancelling {
		return errCancelled
	}
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(time.Since(began)):
	}
	return nil
}
