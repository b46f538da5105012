package api

import (
	"strings"
	"sync"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/valyala/fasthttp"

	"earshot/models"
)

// Bodies of uploads are in memory while they come, and larger than all others. So
// there is room for a few at a time, which is reserved once the headers are there:
// who comes when it is taken is told to come again.
const (
	uploadsAtOnce = 32
	uploadRoom    = 192 << 20
	// uploadsPerParty are those of one project's visitors, or of one member.
	uploadsPerParty = 8
	// maxImport bounds the body of an import; larger files are for the command, which
	// reads them from disk. importTime is what it gets, on a slow line.
	maxImport  = 32 << 20
	importTime = 5 * time.Minute
	// maxAttachment is a file with what multipart/form-data puts around it.
	maxAttachment  = models.MaxAttachment + 64<<10
	attachmentTime = time.Minute
)

// attachmentKey is the project key in the address of an upload by a visitor; "" of
// anything else.
func attachmentKey(path string) string {
	key, ok := strings.CutSuffix(path, "/attachments")
	if !ok {
		return ""
	}
	if key, ok = strings.CutPrefix(key, "/w/"); !ok || !models.ValidProjectKey(key) {
		return ""
	}
	return key
}

// isImport is asked of every POST: so it is no regular expression.
func isImport(path string) bool {
	project, ok := strings.CutSuffix(path, "/imports")
	if !ok {
		return false
	}
	project, ok = strings.CutPrefix(project, "/api/v1/projects/")
	return ok && project != "" && !strings.Contains(project, "/")
}

func isUpload(method, path string) bool {
	return method == fiber.MethodPost && (attachmentKey(path) != "" || isImport(path))
}

// uploads are those whose bodies come. They are known by their requests' headers,
// which are one and the same from the first look to the answer.
type uploads struct {
	unlimited bool
	now       func() time.Time

	mu   sync.Mutex
	open map[*fasthttp.RequestHeader]upload
}

type upload struct {
	party string
	size  int
	// refused: there was no room.
	refused bool
	// until is when it has ended, even if nobody said so: the client may be gone.
	until time.Time
}

// begin reserves room; false where there is none.
func (u *uploads) begin(header *fasthttp.RequestHeader, party string, size int, patience time.Duration) bool {
	u.mu.Lock()
	defer u.mu.Unlock()
	now := u.now()
	count, room, own := 0, 0, 0
	for other, up := range u.open {
		if other == header || now.After(up.until) {
			delete(u.open, other)
			continue
		}
		if up.refused {
			continue
		}
		count++
		room += up.size
		if up.party == party {
			own++
		}
	}
	up := upload{party: party, size: size, until: now.Add(patience)}
	up.refused = count >= uploadsAtOnce || room+size > uploadRoom || own >= uploadsPerParty && !u.unlimited
	u.open[header] = up
	return !up.refused
}

// end gives the room back, if there was any for the request, and reports whether it was
// one that there was no room for.
func (u *uploads) end(header *fasthttp.RequestHeader) (refused bool) {
	u.mu.Lock()
	defer u.mu.Unlock()
	refused = u.open[header].refused
	delete(u.open, header)
	return refused
}

// wasRefused reports whether there was no room for a request's body.
func (u *uploads) wasRefused(header *fasthttp.RequestHeader) bool {
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.open[header].refused
}

// errFileTooLarge names the limit of what is uploaded there.
func errFileTooLarge(path string) *models.Error {
	most := models.MaxAttachment
	if isImport(path) {
		most = maxImport
	}
	return models.Errorf(models.CodeTooLarge, "a file may have at most %d MiB", most>>20)
}

func errNoRoom() error {
	return &models.Error{Code: models.CodeUnavailable, Message: "too many files come at this time", RetryAfter: 5 * time.Second}
}

// roomForUploads lets a body be larger where a file is uploaded, by somebody who may:
// from everybody else the server would take memory for nothing.
func (s *Server) roomForUploads(header *fasthttp.RequestHeader) (config fasthttp.RequestConfig) {
	if string(header.Method()) != fiber.MethodPost {
		return config
	}
	path, _, _ := strings.Cut(string(header.RequestURI()), "?")
	if key := attachmentKey(path); key != "" {
		project, err := s.store.ProjectByKey(s.leaving, key)
		if err != nil || project.KeyDisabled || !project.AllowedOrigins.Allows(string(header.Peek(fiber.HeaderOrigin))) {
			return config
		}
		return s.room(header, string(project.ID), maxAttachment, attachmentTime)
	}
	if !isImport(path) {
		return config
	}
	token, ok := bearerToken(string(header.Peek(fiber.HeaderAuthorization)))
	if !ok {
		return config
	}
	claims, err := s.authenticateFor(s.leaving, token, models.ScopeJobsWrite)
	if err != nil || !claims.CanImport() {
		return config
	}
	return s.room(header, string(claims.UserID), maxImport, importTime)
}

func (s *Server) room(header *fasthttp.RequestHeader, party string, size int, patience time.Duration) (config fasthttp.RequestConfig) {
	if !s.uploads.begin(header, party, size, patience) {
		return config
	}
	return fasthttp.RequestConfig{MaxRequestBodySize: size, ReadTimeout: patience}
}
