package jobs

import (
	"bufio"
	"encoding/json"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"earshot/models"
)

// rowWriter writes items in one format.
type rowWriter interface {
	begin() error
	write(*models.Feedback) error
}

func newRowWriter(format models.ExportFormat, out *bufio.Writer) rowWriter {
	if format == models.ExportCSV {
		return csvRows{out}
	}
	enc := json.NewEncoder(out)
	enc.SetEscapeHTML(false)
	return jsonRows{enc}
}

// row is an item as exports have it; the names are those of the interface.
type row struct {
	ID          models.ID       `json:"id"`
	ProjectID   models.ID       `json:"project_id"`
	CreatedAt   string          `json:"created_at"`
	UpdatedAt   string          `json:"updated_at"`
	Status      models.Status   `json:"status"`
	Kind        *models.Kind    `json:"kind"`
	Rating      *int            `json:"rating"`
	Priority    models.Priority `json:"priority"`
	Message     string          `json:"message"`
	PageURL     string          `json:"page_url"`
	Email       string          `json:"email"`
	Name        string          `json:"name"`
	Tags        []string        `json:"tags"`
	AssigneeID  *models.ID      `json:"assignee_id"`
	SessionID   models.ID       `json:"session_id"`
	Quarantined bool            `json:"quarantined"`
	Context     json.RawMessage `json:"context"`
	Attachments []fileRow       `json:"attachments"`
}

// fileRow is a visitor's file as exports name it; its content is not in them.
type fileRow struct {
	ID          models.ID `json:"id"`
	Name        string    `json:"name"`
	ContentType string    `json:"content_type"`
	Size        int64     `json:"size"`
}

func rowOf(f *models.Feedback) row {
	r := row{
		ID: f.ID, ProjectID: f.ProjectID, CreatedAt: f.CreatedAt.Format(time.RFC3339Nano), UpdatedAt: f.UpdatedAt.Format(time.RFC3339Nano),
		Status: f.Status, Priority: f.Priority, Message: f.Message, PageURL: f.PageURL, Email: f.Email, Name: f.Name,
		Tags: append([]string{}, f.Tags...), SessionID: f.SessionID, Quarantined: f.Quarantined, Context: f.Context,
	}
	if f.Kind != "" {
		r.Kind = &f.Kind
	}
	if f.Rating != 0 {
		r.Rating = &f.Rating
	}
	if f.AssigneeID != "" {
		r.AssigneeID = &f.AssigneeID
	}
	r.Attachments = make([]fileRow, 0, len(f.Files))
	for _, file := range f.Files {
		r.Attachments = append(r.Attachments, fileRow{file.ID, file.Name, file.ContentType, file.Size})
	}
	if len(r.Context) == 0 {
		r.Context = json.RawMessage("null")
	}
	return r
}

type jsonRows struct{ enc *json.Encoder }

func (jsonRows) begin() error                     { return nil }
func (w jsonRows) write(f *models.Feedback) error { return w.enc.Encode(rowOf(f)) }

// csvRows quotes every cell. encoding/csv would quote only those that need it where
// commas divide: a spreadsheet that divides at semicolons would begin a new cell
// inside of one, and run it. It would also change line ends within cells.
type csvRows struct{ out *bufio.Writer }

func (w csvRows) begin() error {
	return w.line(
		"id", "project_id", "created_at", "updated_at", "status", "kind", "rating", "priority", "message", "page_url",
		"email", "name", "tags", "assignee_id", "session_id", "quarantined", "context", "attachments",
	)
}

func (w csvRows) write(f *models.Feedback) error {
	r := rowOf(f)
	rating := ""
	if r.Rating != nil {
		rating = strconv.Itoa(*r.Rating)
	}
	files := make([]string, 0, len(r.Attachments))
	for _, file := range r.Attachments {
		files = append(files, file.Name)
	}
	return w.line(
		string(r.ID), string(r.ProjectID), r.CreatedAt, r.UpdatedAt, string(r.Status), string(f.Kind), rating, string(r.Priority),
		r.Message, r.PageURL, r.Email, r.Name, strings.Join(r.Tags, ", "), string(f.AssigneeID), string(r.SessionID),
		strconv.FormatBool(r.Quarantined), string(f.Context), strings.Join(files, ", "),
	)
}

// line writes one record (RFC 4180 §2).
func (w csvRows) line(cells ...string) error {
	for i, cell := range cells {
		if i > 0 {
			_ = w.out.WriteByte(',') // an error stays until Flush
		}
		_, _ = w.out.WriteString(`"` + strings.ReplaceAll(harmless(cell), `"`, `""`) + `"`)
	}
	_, err := w.out.WriteString("\r\n")
	return err
}

// harmless keeps a spreadsheet from running what a visitor wrote: a cell that
// begins like a formula gets an apostrophe before it, the wide forms of its signs
// too (https://owasp.org/www-community/attacks/CSV_Injection).
func harmless(cell string) string {
	first, _ := utf8.DecodeRuneInString(cell)
	if cell != "" && strings.ContainsRune("=+-@\t\r＝＋－＠", first) {
		return "'" + cell
	}
	return cell
}
