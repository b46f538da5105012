package models

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"slices"
	"strconv"
	"strings"
)

// Submission is what a visitor sends, by whichever transport. Its id is made by
// the client and names the feedback it becomes: sent again, it is the same one.
type Submission struct {
	ID      ID
	PageURL string
	Message string
	Kind    Kind
	Rating  int
	Email   string
	Name    string
	Context json.RawMessage
	// AttachmentIDs are uploads that belong to the submission.
	AttachmentIDs []ID
}

// Normalize checks a submission and brings it to the form in which it is stored
// and compared: texts trimmed, the address in lower case, the context as
// canonical JSON.
func (s *Submission) Normalize() error {
	var p problems
	if !s.ID.Valid() {
		p.add("id", "must be a UUIDv7 in lower case")
	}
	checkPageURL(&p, "page_url", s.PageURL)
	s.Message = strings.TrimSpace(s.Message)
	if checkText(&p, "message", s.Message) {
		checkLength(&p, "message", s.Message, 1, MaxMessage)
	}
	if s.Kind != "" && !s.Kind.Valid() {
		p.add("kind", "must be one of %v", Kinds())
	}
	if s.Rating < 0 || s.Rating > 5 {
		p.add("rating", "must be from 1 to 5")
	}
	if s.Email = normalizeEmail(s.Email); s.Email != "" {
		checkEmail(&p, s.Email)
	}
	s.Name = strings.TrimSpace(s.Name)
	if checkText(&p, "name", s.Name) {
		checkLength(&p, "name", s.Name, 0, MaxName)
	}
	if len(s.AttachmentIDs) > MaxAttachments {
		p.add("attachment_ids", "must have at most %d entries", MaxAttachments)
	}
	for i, id := range s.AttachmentIDs {
		if !id.Valid() || slices.Contains(s.AttachmentIDs[:i], id) {
			p.add("attachment_ids."+strconv.Itoa(i), "must be the id of an upload, each once")
		}
	}
	s.normalizeContext(&p)
	return p.err()
}

// GivenRating is a rating as a visitor gave it. None is none; a 0 that was given
// is refused by Normalize.
func GivenRating(given *int) int {
	switch {
	case given == nil:
		return 0
	case *given == 0:
		return -1
	}
	return *given
}

func (s *Submission) normalizeContext(p *problems) {
	raw := bytes.TrimSpace(s.Context)
	if len(raw) == 0 || string(raw) == "null" {
		s.Context = nil
		return
	}
	if raw[0] != '{' {
		p.add("context", "must be an object")
		return
	}
	if len(raw) > MaxContextBytes {
		p.add("context", "must have at most %d bytes", MaxContextBytes)
		return
	}
	// Decoding and encoding sorts the members and drops white space. Numbers
	// keep their digits.
	dec := json.NewDecoder(bytes.NewReader(raw))
	dec.UseNumber()
	var value map[string]any
	if err := dec.Decode(&value); err != nil || !json.Valid(raw) { // Decode stops after the object
		p.add("context", "must be an object")
		return
	}
	var canonical bytes.Buffer
	enc := json.NewEncoder(&canonical)
	enc.SetEscapeHTML(false) // "<" would grow to six times its size
	if err := enc.Encode(value); err != nil {
		p.add("context", "must be an object")
		return
	}
	s.Context = bytes.TrimSuffix(canonical.Bytes(), []byte("\n"))
}

// Fingerprint identifies the normalised payload: two submissions of one id are
// the same exactly when their fingerprints are. It is a SHA-256 over the fields,
// each preceded by its length so that none can run into the next.
func (s *Submission) Fingerprint() []byte {
	size := 10 * binary.MaxVarintLen32
	for _, field := range s.payload() {
		size += len(field)
	}
	buf := make([]byte, 0, size)
	for _, field := range s.payload() {
		buf = binary.AppendUvarint(buf, uint64(len(field)))
		buf = append(buf, field...)
	}
	buf = binary.AppendUvarint(buf, uint64(s.Rating)) //nolint:gosec // checked to be 0 to 5
	for _, id := range s.AttachmentIDs {
		buf = append(buf, id...)
	}
	sum := sha256.Sum256(buf)
	return sum[:]
}

func (s *Submission) payload() [6]string {
	return [...]string{s.PageURL, s.Message, string(s.Kind), s.Email, s.Name, string(s.Context)}
}
