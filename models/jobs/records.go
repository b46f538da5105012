package jobs

import (
	"bufio"
	"bytes"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode/utf8"

	"earshot/models"
)

// records reads rows from a file, one after the other, in constant memory.
type records interface {
	// next gives one row. io.EOF ends the file; another error is about this row
	// alone, and its line is set all the same.
	next() (models.ImportedRow, error)
	// offset is where in the file the next row begins, in bytes.
	offset() int64
}

// maxRecord bounds one row: a message with its context is far below it.
const maxRecord = 256 << 10

var (
	errTooLong = models.Errorf(models.CodeInvalidField, "the row is longer than %d KiB", maxRecord>>10)
	// errUnclosed ends the file: what follows cannot be told apart.
	errUnclosed = models.Errorf(models.CodeInvalidField, "a quote is never closed, or a row is longer than %d KiB", maxRecord>>10)
)

// openRecords reads file from where an earlier run has stopped, in bytes. 0 is the
// beginning.
func openRecords(file io.ReadSeeker, what models.Import, from int64) (records, error) {
	header := csvHeader{}
	if what.Format == models.ExportCSV {
		var err error
		if header, err = readHeader(file, what.Mapping); err != nil {
			return nil, err
		}
	}
	at := max(from, header.end)
	lines, err := countLines(file, at)
	if err != nil {
		return nil, err
	}
	if what.Format == models.ExportJSONL {
		return &jsonRecords{in: bufio.NewReaderSize(file, 64<<10), at: at, line: lines}, nil
	}
	part := &bounded{in: file}
	in := csv.NewReader(part)
	in.Comma, in.FieldsPerRecord, in.ReuseRecord = header.comma, -1, true
	return &csvRecords{in: in, part: part, fields: header.fields, start: at, lines: lines}, nil
}

// countLines counts the lines before a place, and leaves the file there.
func countLines(file io.ReadSeeker, at int64) (lines int64, err error) {
	if _, err := file.Seek(0, io.SeekStart); err != nil {
		return 0, err
	}
	buf := make([]byte, 64<<10)
	for left := at; left > 0; {
		n, err := file.Read(buf[:min(left, int64(len(buf)))])
		lines += int64(bytes.Count(buf[:n], []byte("\n")))
		left -= int64(n)
		if err != nil {
			return lines, fmt.Errorf("the file is shorter than it was: %w", err)
		}
	}
	return lines, nil
}

// jsonRecords reads one JSON object a line.
type jsonRecords struct {
	in   *bufio.Reader
	at   int64
	line int64
}

func (r *jsonRecords) offset() int64 { return r.at }

func (r *jsonRecords) next() (row models.ImportedRow, err error) {
	for {
		text, tooLong, err := r.read()
		if len(text) == 0 && !tooLong && err != nil {
			return row, err
		}
		r.line++
		row.Line = r.line
		if tooLong {
			return row, errTooLong
		}
		if text = bytes.TrimSpace(bytes.TrimPrefix(text, []byte("\ufeff"))); len(text) == 0 {
			continue
		}
		return row, readJSON(text, &row)
	}
}

// read reads one line, no more of it than is let through.
func (r *jsonRecords) read() (text []byte, tooLong bool, err error) {
	for {
		part, err := r.in.ReadSlice('\n')
		r.at += int64(len(part))
		if !tooLong {
			text = append(text, part...)
		}
		tooLong = tooLong || len(text) > maxRecord
		if !errors.Is(err, bufio.ErrBufferFull) {
			return text, tooLong, err
		}
	}
}

// readJSON takes the fields that are ours out of an object. null is nothing.
func readJSON(text []byte, row *models.ImportedRow) error {
	notAnObject := models.Errorf(models.CodeBadJSON, "the line is not a JSON object")
	if !utf8.Valid(text) {
		return models.Errorf(models.CodeInvalidText, "the line is not UTF-8")
	}
	var fields map[string]json.RawMessage
	if json.Unmarshal(text, &fields) != nil || fields == nil {
		return notAnObject
	}
	row.Raw = map[models.ImportField]string{}
	for _, field := range models.ImportFields() {
		raw, has := fields[string(field)]
		if !has || string(raw) == "null" {
			continue
		}
		var err error
		switch {
		case field == models.ImportTags:
			err = json.Unmarshal(raw, &row.Tags)
		case field == models.ImportContext:
			row.Raw[field] = string(raw)
		case raw[0] == '"':
			var value string
			err = json.Unmarshal(raw, &value)
			row.Raw[field] = value
		case raw[0] == '{' || raw[0] == '[':
			err = errors.New("a list or an object")
		default:
			row.Raw[field] = string(raw)
		}
		if err != nil {
			return models.InvalidField(string(field), "has not the right type")
		}
	}
	return nil
}

// csvRecords reads CSV (RFC 4180).
type csvRecords struct {
	in     *csv.Reader
	part   *bounded
	fields []models.ImportField // by column
	start  int64
	lines  int64 // before start
}

func (r *csvRecords) offset() int64 { return r.start + r.in.InputOffset() }

func (r *csvRecords) next() (row models.ImportedRow, err error) {
	r.part.left = maxRecord
	cells, err := r.in.Read()
	var bad *csv.ParseError
	switch {
	case errors.As(err, &bad):
		row.Line = r.lines + int64(bad.StartLine)
		return row, models.Errorf(models.CodeInvalidField, "the quotes of the row do not match")
	case err != nil:
		return row, err
	}
	line, _ := r.in.FieldPos(0)
	row.Line = r.lines + int64(line)
	row.Raw = map[models.ImportField]string{}
	for i, cell := range cells {
		if i >= len(r.fields) || r.fields[i] == models.ImportNothing {
			continue
		}
		if !utf8.ValidString(cell) {
			return row, models.Errorf(models.CodeInvalidText, "%s is not UTF-8", r.fields[i])
		}
		row.Raw[r.fields[i]] = asWritten(cell)
	}
	row.Tags = splitTags(row.Raw[models.ImportTags])
	return row, nil
}

// asWritten takes away what our own exports put before a cell that a spreadsheet
// would run.
func asWritten(cell string) string {
	if rest, ok := strings.CutPrefix(cell, "'"); ok && harmless(rest) != rest {
		return rest
	}
	return cell
}

func splitTags(cell string) (tags []string) {
	for tag := range strings.FieldsFuncSeq(cell, func(r rune) bool { return r == ',' || r == ';' }) {
		if tag = strings.TrimSpace(tag); tag != "" {
			tags = append(tags, tag)
		}
	}
	return tags
}

// csvHeader is what the first line says.
type csvHeader struct {
	comma  rune
	fields []models.ImportField
	end    int64 // in bytes
}

func readHeader(file io.ReadSeeker, mapping map[string]models.ImportField) (csvHeader, error) {
	if _, err := file.Seek(0, io.SeekStart); err != nil {
		return csvHeader{}, err
	}
	start := make([]byte, maxRecord)
	n, err := io.ReadFull(file, start)
	if err != nil && !errors.Is(err, io.ErrUnexpectedEOF) && !errors.Is(err, io.EOF) {
		return csvHeader{}, err
	}
	mark := len(start[:n]) - len(bytes.TrimPrefix(start[:n], []byte("\ufeff")))
	first, _, _ := bytes.Cut(start[mark:n], []byte("\n"))
	header := csvHeader{comma: guessComma(first)}
	in := csv.NewReader(bytes.NewReader(start[mark:n]))
	in.Comma = header.comma
	names, err := in.Read()
	if err != nil {
		return header, models.Errorf(models.CodeInvalidField, "the file has no line with the names of its columns")
	}
	header.end = int64(mark) + in.InputOffset()
	header.fields, err = mapColumns(names, mapping)
	return header, err
}

// guessComma is what divides the columns: spreadsheets use the semicolon where the
// comma is in numbers.
func guessComma(header []byte) rune {
	comma, most := ',', 0
	for _, candidate := range []rune{',', ';', '\t'} {
		if n := bytes.Count(header, []byte(string(candidate))); n > most {
			comma, most = candidate, n
		}
	}
	return comma
}

// columnNames are what others call our fields.
func columnNames(field models.ImportField) []string {
	switch field {
	case models.ImportMessage:
		return []string{"text", "feedback", "comment", "body", "description"}
	case models.ImportPageURL:
		return []string{"url", "page", "link"}
	case models.ImportKind:
		return []string{"type", "category"}
	case models.ImportRating:
		return []string{"score", "stars"}
	case models.ImportEmail:
		return []string{"e-mail", "mail", "email address"}
	case models.ImportName:
		return []string{"author", "customer", "full name", "from"}
	case models.ImportStatus:
		return []string{"state"}
	case models.ImportTags:
		return []string{"labels", "tag"}
	case models.ImportCreatedAt:
		return []string{"created", "date", "time", "timestamp", "submitted at", "created at"}
	case models.ImportPriority, models.ImportContext, models.ImportNothing:
	}
	return nil
}

// mapColumns says which field each column is. What mapping says goes before what
// the column is called.
func mapColumns(names []string, mapping map[string]models.ImportField) ([]models.ImportField, error) {
	fields := make([]models.ImportField, len(names))
	taken := map[models.ImportField]bool{}
	for column := range mapping {
		if !slices.Contains(names, column) {
			return nil, models.InvalidField("mapping", fmt.Sprintf("the file has no column %q", column))
		}
	}
	for i, name := range names {
		fields[i] = mapping[name]
		taken[fields[i]] = true
	}
	for _, field := range models.ImportFields() {
		for _, known := range append([]string{string(field)}, columnNames(field)...) {
			at := slices.IndexFunc(names, func(name string) bool { return strings.EqualFold(strings.TrimSpace(name), known) })
			if at < 0 || taken[field] {
				continue
			}
			if _, said := mapping[names[at]]; !said && fields[at] == models.ImportNothing {
				fields[at], taken[field] = field, true
			}
		}
	}
	if !taken[models.ImportMessage] {
		return nil, models.InvalidField("mapping", "no column is the message")
	}
	return fields, nil
}

// bounded ends a file in which one quoted cell goes on and on: it would be read
// into memory whole. left is what the row may still take.
type bounded struct {
	in   io.Reader
	left int
}

func (b *bounded) Read(buf []byte) (int, error) {
	if b.left <= 0 {
		return 0, errUnclosed
	}
	n, err := b.in.Read(buf)
	b.left -= n
	return n, err
}
