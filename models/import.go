package models

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"
)

// JobImport takes the feedback of a file into a project.
const JobImport JobKind = "import"

// Import is what an import is of.
type Import struct {
	Format ExportFormat `json:"format"`
	// Mapping says of a CSV file which column is which field; columns that it does
	// not name are known by their own names, or left out.
	Mapping map[string]ImportField `json:"mapping,omitempty"`
	// DryRun only reads, and says what would be refused.
	DryRun bool `json:"dry_run,omitempty"`
	// Refused is how many rows were not taken.
	Refused int64 `json:"-"`
}

// ImportField is a field of an item that a file may have.
type ImportField string

// The fields. All but the message may be missing.
const (
	ImportMessage   ImportField = "message"
	ImportPageURL   ImportField = "page_url"
	ImportKind      ImportField = "kind"
	ImportRating    ImportField = "rating"
	ImportEmail     ImportField = "email"
	ImportName      ImportField = "name"
	ImportStatus    ImportField = "status"
	ImportPriority  ImportField = "priority"
	ImportTags      ImportField = "tags"
	ImportCreatedAt ImportField = "created_at"
	ImportContext   ImportField = "context"
	ImportNothing   ImportField = "" // leaves a column out
)

// ImportFields lists all fields; the caller owns the slice.
func ImportFields() []ImportField {
	return []ImportField{
		ImportMessage, ImportPageURL, ImportKind, ImportRating, ImportEmail, ImportName, ImportStatus, ImportPriority,
		ImportTags, ImportCreatedAt, ImportContext,
	}
}

// NewImport makes the job of an import.
func NewImport(project, user ID, what Import) (Job, error) {
	job := Job{ID: NewID(), ProjectID: project, UserID: user, Kind: JobImport, Status: JobQueued, Import: what}
	if what.Format != ExportCSV && what.Format != ExportJSONL {
		return job, InvalidField("format", "must be csv or jsonl")
	}
	if len(what.Mapping) > 0 && what.Format != ExportCSV {
		return job, InvalidField("mapping", "is for CSV alone")
	}
	used := map[ImportField]bool{}
	for column, field := range what.Mapping {
		switch {
		case field == ImportNothing:
		case !slices.Contains(ImportFields(), field):
			return job, InvalidField("mapping", fmt.Sprintf("%q must be one of %v", column, ImportFields()))
		case used[field]:
			return job, InvalidField("mapping", fmt.Sprintf("two columns are %q", field))
		}
		used[field] = true
	}
	return job, nil
}

// ImportedRow is one row of a file: as it is written there, and after Normalize as
// it is stored.
type ImportedRow struct {
	// Line is where it begins in the file, from 1.
	Line int64
	Raw  map[ImportField]string
	Tags []string // where the file has a list of them

	Submission Submission
	Status     Status
	Priority   Priority
	CreatedAt  time.Time
}

// Normalize checks a row as a submission is checked, and brings it into the form
// in which it is stored. job makes its id, now is when a row without a time came.
func (r *ImportedRow) Normalize(job ID, now time.Time) error {
	var p problems
	r.CreatedAt, r.Status, r.Priority = now, StatusNew, PriorityNormal
	if text := strings.TrimSpace(r.Raw[ImportCreatedAt]); text != "" {
		at, err := readTime(text)
		switch {
		case err != nil:
			p.add("created_at", "must be a time such as 2026-01-31T12:00:00Z")
		case at.After(now):
			p.add("created_at", "must not be in the future")
		case at.Year() < 1970:
			p.add("created_at", "must not be before 1970")
		default:
			r.CreatedAt = at.UTC().Truncate(time.Millisecond)
		}
	}
	if word := spelled(r.Raw[ImportStatus]); word != "" {
		if r.Status = Status(word); !r.Status.Valid() {
			p.add("status", "must be one of %v", Statuses())
		}
	}
	if word := spelled(r.Raw[ImportPriority]); word != "" {
		if r.Priority = Priority(word); r.Priority.Rank() < 0 {
			p.add("priority", "must be one of %v", Priorities())
		}
	}
	r.Tags = normalizeTags(&p, r.Tags)
	if err := p.err(); err != nil {
		return err
	}
	return r.normalizeSubmission(job)
}

func (r *ImportedRow) normalizeSubmission(job ID) error {
	r.Submission = Submission{
		ID: importedID(job, r.Line, r.CreatedAt), PageURL: strings.TrimSpace(r.Raw[ImportPageURL]), Message: r.Raw[ImportMessage],
		Kind: Kind(spelled(r.Raw[ImportKind])), Email: r.Raw[ImportEmail], Name: r.Raw[ImportName], Context: json.RawMessage(r.Raw[ImportContext]),
	}
	if text := strings.TrimSpace(r.Raw[ImportRating]); text != "" {
		rating, err := strconv.Atoi(text)
		if err != nil || rating < 1 {
			return InvalidField("rating", "must be from 1 to 5")
		}
		r.Submission.Rating = rating
	}
	// What was never said in a browser has no page.
	const somewhere = "https://import.invalid/"
	paged := r.Submission.PageURL != ""
	if !paged {
		r.Submission.PageURL = somewhere
	}
	err := r.Submission.Normalize()
	if !paged {
		r.Submission.PageURL = ""
	}
	return err
}

// spelled is a word as ours are: "In Progress" is in_progress.
func spelled(word string) string {
	return strings.ReplaceAll(strings.ToLower(strings.TrimSpace(word)), " ", "_")
}

// readTime reads a time as files have it. Without a zone it is UTC.
func readTime(text string) (at time.Time, err error) {
	for _, layout := range []string{time.RFC3339Nano, "2006-01-02T15:04:05.999999999", time.DateTime, "2006-01-02 15:04", time.DateOnly} {
		if at, err = time.Parse(layout, text); err == nil {
			return at, nil
		}
	}
	return at, err
}

// importedID makes a row's id from its job and line, so that it is the same one
// however often the row is read: a UUIDv7 (RFC 9562 §5.7) with the time of the row
// and a hash where chance would be.
func importedID(job ID, line int64, at time.Time) ID {
	sum := sha256.Sum256(binary.BigEndian.AppendUint64([]byte("import\x00"+job), uint64(line))) //nolint:gosec // from 1
	var id uuid.UUID
	copy(id[:], sum[:])
	ms := uint64(at.UnixMilli())
	var time8 [8]byte
	binary.BigEndian.PutUint64(time8[:], ms<<16)
	copy(id[:6], time8[:6])
	id[6] = id[6]&0x0f | 0x70
	id[8] = id[8]&0x3f | 0x80
	return ID(id.String())
}
