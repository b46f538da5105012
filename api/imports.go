package api

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"mime/multipart"
	"syscall"

	"github.com/gofiber/fiber/v2"

	"earshot/models"
)

// createImport takes a file in and has it imported. The rows that are not right are
// named in the job's report.
func (s *Server) createImport(c *fiber.Ctx) error {
	who, err := s.admit(c, operation{scope: models.ScopeJobsWrite})
	if err != nil {
		return err
	}
	claims := who.claims
	if !claims.CanImport() { // what comes in this way was said by nobody
		return errRole()
	}
	if _, err := s.store.Project(c.UserContext(), claims.Scope, models.ID(c.Params("id"))); err != nil {
		return err
	}
	form, err := c.MultipartForm()
	if err != nil {
		return models.Errorf(models.CodeUnsupportedMedia, "the body must be multipart/form-data with a field file")
	}
	defer c.Request().RemoveMultipartFormFiles()
	what, file, err := readImportForm(form)
	if err != nil {
		return err
	}
	job, err := models.NewImport(models.ID(c.Params("id")), claims.UserID, what)
	if err != nil {
		return err
	}
	if err := s.keepUpload(c.UserContext(), job.ID, file); err != nil {
		return err
	}
	job, err = s.RequestJob(c.UserContext(), claims.Scope, job, s.realtime.TellJobStarted)
	if err != nil {
		return errors.Join(err, s.jobFiles().DropUpload(c.UserContext(), job.ID))
	}
	c.Set(fiber.HeaderCacheControl, "no-store")
	return c.Status(fiber.StatusAccepted).JSON(s.jobBody(claims, job))
}

// readImportForm reads the fields of an upload; one that is not known is refused.
func readImportForm(form *multipart.Form) (what models.Import, file *multipart.FileHeader, err error) {
	for name, values := range form.Value {
		if len(values) != 1 {
			return what, nil, models.InvalidField(name, "must be there once")
		}
		switch value := values[0]; name {
		case "format":
			what.Format = models.ExportFormat(value)
		case "mapping":
			if json.Unmarshal([]byte(value), &what.Mapping) != nil {
				return what, nil, models.InvalidField(name, "must be an object from columns to fields")
			}
		case "dry_run":
			if value != "true" && value != "false" {
				return what, nil, models.InvalidField(name, "must be true or false")
			}
			what.DryRun = value == "true"
		default:
			return what, nil, models.InvalidField(name, "is not a field of an import")
		}
	}
	for name, files := range form.File {
		if name != "file" || len(files) != 1 {
			return what, nil, models.InvalidField(name, "the one file must be in the field file")
		}
		file = files[0]
	}
	if file == nil {
		return what, nil, models.InvalidField("file", "is required")
	}
	return what, file, nil
}

// keepUpload keeps a file, whole or not at all, before its job is made.
func (s *Server) keepUpload(ctx context.Context, job models.ID, header *multipart.FileHeader) (err error) {
	in, err := header.Open()
	if err != nil {
		return fmt.Errorf("read upload: %w", err)
	}
	defer func() { err = errors.Join(err, in.Close()) }()
	err = s.jobFiles().KeepUpload(ctx, job, in)
	if errors.Is(err, syscall.ENOSPC) {
		return models.Errorf(models.CodeStorageFull, "there is no room for the file")
	}
	return err
}
