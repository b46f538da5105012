package api

import (
	"context"
	"encoding/json"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"earshot/models"
	"earshot/models/intake"
	"earshot/realtime/protocol"
)

// lookup is what came of asking for a key's project.
type lookup struct {
	key     string
	project *models.Project
	err     error
}

const lookupLocal = "earshot.lookup"

// projectByKey asks the store once a request: headers, handler and refusal all
// need the answer, and keys that nobody has are kept nowhere.
func (s *Server) projectByKey(c *fiber.Ctx, key string) (*models.Project, error) {
	known, ok := c.Locals(lookupLocal).(lookup)
	if !ok || known.key != key {
		known.key = key
		known.project, known.err = s.store.ProjectByKey(c.UserContext(), key)
		c.Locals(lookupLocal, known)
	}
	return known.project, known.err
}

// openProject is the project of a key that is in use.
func (s *Server) openProject(c *fiber.Ctx, key string) (*models.Project, error) {
	project, err := s.projectByKey(c, key)
	if models.CodeOf(err) == models.CodeNotFound || err == nil && project.KeyDisabled {
		return nil, errNoKey()
	}
	return project, err
}

func errNoKey() *models.Error {
	return models.Errorf(models.CodeNotFound, "there is no project with this key")
}

// visitorProject finds the project that a visitor's request is for and holds the
// request to its rules. CORS does not do that: a browser sends a foreign page's
// POST all the same and only keeps the answer from it.
func (s *Server) visitorProject(c *fiber.Ctx) (*models.Project, error) {
	project, err := s.openProject(c, c.Params("key"))
	if err != nil {
		return nil, err
	}
	if !project.AllowedOrigins.Allows(c.Get(fiber.HeaderOrigin)) {
		return nil, models.Errorf(models.CodeForbidden, "this origin may not use the project")
	}
	return project, nil
}

// preflightAge is how long browsers may keep a permission; Chromium caps it there.
const preflightAge = "7200"

// preflight answers a browser that asks whether a page may make a request
// (https://fetch.spec.whatwg.org/#cors-preflight-request). Credentials are never
// admitted: nothing on this side knows a cookie.
func (s *Server) preflight(methods string, headers ...string) fiber.Handler {
	allowed := strings.Join(append([]string{fiber.HeaderContentType}, headers...), ", ")
	return func(c *fiber.Ctx) error {
		if _, err := s.visitorProject(c); err != nil {
			return err
		}
		c.Set(fiber.HeaderAllow, methods+", OPTIONS")
		c.Append(fiber.HeaderVary, fiber.HeaderAccessControlRequestMethod, fiber.HeaderAccessControlRequestHeaders)
		if c.Get(fiber.HeaderOrigin) != "" {
			c.Set(fiber.HeaderAccessControlAllowMethods, methods)
			c.Set(fiber.HeaderAccessControlAllowHeaders, allowed)
			c.Set(fiber.HeaderAccessControlMaxAge, preflightAge)
		}
		return c.SendStatus(fiber.StatusNoContent)
	}
}

// Submission is a visitor's feedback by POST. Its fields are those of the
// socket's FeedbackSubmitted; that is not embedded because encoding/json would
// name it in its errors.
type Submission struct {
	ID            *models.ID            `json:"id,omitempty" doc:"Becomes the feedback's id and makes the call repeatable; made here if absent"`
	ResumeToken   *string               `json:"resume_token,omitempty" doc:"The visitor's own secret, 43 characters of base64url; made here if absent"`
	PageURL       string                `json:"page_url" doc:"http or https" maxLength:"2048"`
	Message       string                `json:"message" doc:"1 to 5,000 code points after trimming"`
	Kind          models.Kind           `json:"kind,omitempty"`
	Rating        *int                  `json:"rating,omitempty" minimum:"1" maximum:"5"`
	Email         string                `json:"email,omitempty" maxLength:"254"`
	Name          string                `json:"name,omitempty" maxLength:"200"`
	Context       json.RawMessage       `json:"context,omitempty" doc:"An object of the page's own making, at most 16 KiB"`
	AttachmentIDs []models.ID           `json:"attachment_ids,omitempty" maxItems:"5"`
	Identity      *models.IdentityClaim `json:"identity,omitempty" doc:"Who the visitor is to the site, signed by its back end. One that is not true is ignored"`
	Proof         *string               `json:"proof,omitempty" doc:"Answers a challenge: the challenge, a colon, and what makes the SHA-256 of the whole begin with as many zero bits as its difficulty. Send it empty to say that you can; without it, what is suspected is kept but quarantined, and you are not asked" maxLength:"200"`
	ElapsedMS     *int64                `json:"elapsed_ms,omitempty" doc:"Milliseconds from the opening of the form to its sending"`
	Website       string                `json:"website,omitempty" doc:"A trap: show the field to no person, and leave it empty"`
}

// Receipt acknowledges a submission: it is on disk.
type Receipt struct {
	ID          models.ID `json:"id"`
	ReceiptURL  string    `json:"receipt_url,omitempty" doc:"The visitor's private page; absent where the session is another"`
	ResumeToken string    `json:"resume_token,omitempty" doc:"Where none was brought: keep it, it proves the visitor's session"`
}

// submitTimeout bounds the answer to a submission, whatever it waits for: several
// looks at the database, each with a patience of its own, come before the write.
const submitTimeout = 15 * time.Second

func (s *Server) submitFeedback(c *fiber.Ctx) error {
	ctx, cancel := context.WithDeadline(c.UserContext(), c.Context().Time().Add(submitTimeout))
	defer cancel()
	project, err := s.visitorProject(c)
	if err != nil {
		return err
	}
	request, err := s.decodeSubmission(c)
	if err != nil {
		return err
	}
	request.Project, request.Address = project, s.address(c)
	if request.ResumeToken != "" {
		request.SessionID = s.realtime.SessionOf(project.ID, request.ResumeToken)
	}
	result, err := s.intake.Submit(ctx, request)
	if err != nil {
		return err
	}
	receipt := Receipt{ID: result.ID, ReceiptURL: result.ReceiptURL, ResumeToken: result.ResumeToken}
	status := fiber.StatusCreated
	if result.Repeated {
		// A token made for a repeat belongs to no session.
		status, receipt.ResumeToken = fiber.StatusOK, ""
	}
	body, err := json.Marshal(receipt)
	if err != nil {
		return err
	}
	c.Response().Header.SetContentType(fiber.MIMEApplicationJSON)
	c.Response().Header.Set(fiber.HeaderCacheControl, "no-store")
	return c.Status(status).Send(body)
}

// decodeVisitor reads a visitor's body. It takes text/plain too: with it a page
// that sends no credential needs no preflight.
func decodeVisitor[T any](c *fiber.Ctx, decoder protocol.Decoder[T]) (in T, err error) {
	contentType := c.Get(fiber.HeaderContentType)
	if !isMedia(contentType, fiber.MIMEApplicationJSON) && !isMedia(contentType, fiber.MIMETextPlain) {
		return in, models.Errorf(models.CodeUnsupportedMedia, "the body must be JSON, as application/json or text/plain in UTF-8")
	}
	return decoder.Decode(c.Body())
}

func (s *Server) decodeSubmission(c *fiber.Ctx) (request intake.Request, err error) {
	in, err := decodeVisitor(c, s.submissions)
	if err != nil {
		return request, err
	}
	request.Submission = models.Submission{
		PageURL: in.PageURL, Message: in.Message, Kind: in.Kind, Rating: models.GivenRating(in.Rating),
		Email: in.Email, Name: in.Name, Context: in.Context, AttachmentIDs: in.AttachmentIDs,
	}
	request.Evidence = models.Evidence{Website: in.Website, ElapsedMS: in.ElapsedMS, Proof: in.Proof, Identity: in.Identity}
	if in.ID != nil {
		request.Submission.ID = *in.ID
	} else {
		request.Submission.ID = models.NewID()
	}
	if in.ResumeToken != nil {
		if *in.ResumeToken == "" {
			return request, models.InvalidField("resume_token", "must be 43 characters of base64url")
		}
		request.ResumeToken = *in.ResumeToken
	}
	return request, nil
}
