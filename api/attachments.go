package api

import (
	"context"
	"io"
	"mime"
	"mime/multipart"
	"strconv"
	"time"

	"github.com/gofiber/fiber/v2"

	"earshot/models"
	"earshot/models/intake"
)

// How much is taken in within an hour, of files and of bytes.
const (
	filesPerSession = 20
	filesPerAddress = 60
	filesPerProject = 1_000
	bytesPerAddress = 200 << 20
	bytesPerProject = 2 << 30
)

// Attachment is a visitor's file.
type Attachment struct {
	ID          models.ID `json:"id"`
	Name        string    `json:"name"`
	ContentType string    `json:"content_type" doc:"image/png, image/jpeg, application/pdf or text/plain; charset=utf-8"`
	Size        int64     `json:"size" doc:"Bytes"`
	Width       *int      `json:"width" nullable:"true" doc:"Of images, in pixels"`
	Height      *int      `json:"height" nullable:"true" doc:"Of images, in pixels"`
	URL         string    `json:"url" doc:"A link to the file that is good for five minutes, without a credential"`
}

func (s *Server) attachmentBody(a models.Attachment) Attachment {
	body := Attachment{ID: a.ID, Name: a.Name, ContentType: a.ContentType, Size: a.Size, URL: s.attachmentURL(a.ID)}
	if a.Width > 0 {
		body.Width, body.Height = &a.Width, &a.Height
	}
	return body
}

func (s *Server) attachmentBodies(all []models.Attachment) []Attachment {
	bodies := make([]Attachment, 0, len(all))
	for _, a := range all {
		bodies = append(bodies, s.attachmentBody(a))
	}
	return bodies
}

// Uploaded is a file that was taken in: to be named in a submission within the hour.
type Uploaded struct {
	ID models.ID `json:"id"`
}

// uploadAttachment takes a visitor's file in. With the resume token it is that
// session's alone.
func (s *Server) uploadAttachment(c *fiber.Ctx) error {
	project, err := s.visitorProject(c)
	if err != nil {
		return err
	}
	var owner models.ResumeHash
	if token, ok := bearer(c); ok {
		if !models.ValidToken(token) {
			return models.Errorf(models.CodeUnauthorized, "the credential must be a resume token, 43 characters of base64url")
		}
		owner = models.HashResumeToken(token)
	}
	header, err := readUpload(c)
	if err != nil {
		return err
	}
	defer c.Request().RemoveMultipartFormFiles()
	if header.Size > models.MaxAttachment {
		return errFileTooLarge(c.Path())
	}
	if err := s.countUpload(c, project, owner, header.Size); err != nil {
		return err
	}
	file, err := header.Open()
	if err != nil {
		return err
	}
	content, err := io.ReadAll(file)
	if err != nil {
		return err
	}
	if err := file.Close(); err != nil {
		return err
	}
	kept, err := s.attachments.Keep(c.UserContext(), project, owner, header.Filename, content)
	if err != nil {
		return err
	}
	c.Set(fiber.HeaderCacheControl, "no-store")
	return c.Status(fiber.StatusCreated).JSON(Uploaded{ID: kept.ID})
}

// readUpload finds the one file of a form. What else is in it is ignored, as on all
// of the visitors' side.
func readUpload(c *fiber.Ctx) (*multipart.FileHeader, error) {
	if media, _, err := mime.ParseMediaType(c.Get(fiber.HeaderContentType)); err != nil || media != fiber.MIMEMultipartForm {
		return nil, models.Errorf(models.CodeUnsupportedMedia, "the body must be multipart/form-data with a field file")
	}
	form, err := c.MultipartForm()
	if err != nil {
		return nil, models.Errorf(models.CodeBadRequest, "the body is not valid multipart/form-data")
	}
	if len(form.File["file"]) != 1 {
		return nil, models.InvalidField("file", "must be there, once")
	}
	return form.File["file"][0], nil
}

// countUpload holds a party to what it may upload within an hour.
func (s *Server) countUpload(c *fiber.Ctx, project *models.Project, owner models.ResumeHash, size int64) error {
	ctx, of := c.UserContext(), string(project.ID)
	address := intake.AddressKey(s.address(c))
	if len(owner) > 0 {
		if err := s.uploadLimits.session.Take(ctx, of+string(owner)); err != nil {
			return err
		}
	}
	if err := s.uploadLimits.address.Take(ctx, address); err != nil {
		return err
	}
	if err := s.uploadLimits.project.Take(ctx, of); err != nil {
		return err
	}
	kib := int(size>>10) + 1
	if err := s.uploadLimits.addressKiB.TakeN(ctx, address, kib); err != nil {
		return err
	}
	return s.uploadLimits.projectKiB.TakeN(ctx, of, kib)
}

const attachmentLinkLifetime = 5 * time.Minute

func (s *Server) attachmentURL(id models.ID) string {
	return s.config.BaseURL + "/a/" + string(id) + "/" + s.attachmentsKey.token(id, s.now().Add(attachmentLinkLifetime))
}

// linkedAttachment sends a file to whoever has a link to it.
func (s *Server) linkedAttachment(c *fiber.Ctx) error {
	id := models.ID(c.Params("id"))
	if !s.attachmentsKey.allows(id, c.Params("token"), s.now()) {
		return models.Errorf(models.CodeNotFound, "this link is not, or no longer, good")
	}
	found, err := s.store.AttachmentByLink(c.UserContext(), id)
	if err != nil {
		return err
	}
	return s.sendAttachment(c, found)
}

// downloadAttachment sends a file to who may read the item that it is of.
func (s *Server) downloadAttachment(c *fiber.Ctx) error {
	who, err := s.admit(c, operation{scope: models.ScopeFeedbackRead})
	if err != nil {
		return err
	}
	if err := checkStaffQuery(c, nil); err != nil {
		return err
	}
	found, err := s.store.Attachment(c.UserContext(), who.claims.Scope, models.ID(c.Params("id")))
	if err != nil {
		return err
	}
	return s.sendAttachment(c, found)
}

// policyFile is for what strangers have made: should a browser ever show it as a
// page, it may do nothing, and is of no origin.
const policyFile = "default-src 'none'; sandbox; frame-ancestors 'none'"

func (s *Server) sendAttachment(c *fiber.Ctx, a models.Attachment) error {
	content, err := s.attachments.Open(context.WithoutCancel(c.UserContext()), a.ID) // it is read after the handler's end
	if err != nil {
		return err
	}
	c.Set(fiber.HeaderContentSecurityPolicy, policyFile)
	c.Set("Cross-Origin-Resource-Policy", "same-origin")
	c.Set("X-Robots-Tag", "noindex, nofollow, noarchive")
	c.Set(fiber.HeaderCacheControl, "private, no-store")
	c.Set(fiber.HeaderContentDisposition, mime.FormatMediaType("attachment", map[string]string{"filename": a.Name}))
	c.Set(fiber.HeaderContentType, a.ContentType)
	c.Set(fiber.HeaderContentLength, strconv.FormatInt(a.Size, 10))
	c.Context().SetBodyStream(paced{content, c.Context().Conn()}, int(a.Size)) // which closes it
	return nil
}
