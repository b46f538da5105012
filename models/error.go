// Package models holds Earshot's domain: what a project, a member and a piece
// of feedback are, which values are valid, and how a failure is named. It knows
// neither the database nor HTTP.
package models

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// Code names a failure on every transport. Clients switch over it, so a code
// is never renamed; new ones may be added.
type Code string

// The codes of the wire contract.
const (
	CodeBadJSON           Code = "bad_json"
	CodeBadRequest        Code = "bad_request"
	CodeUnknownType       Code = "unknown_type"
	CodeInvalidField      Code = "invalid_field"
	CodeInvalidText       Code = "invalid_text"
	CodeTooLarge          Code = "too_large"
	CodeUnsupportedMedia  Code = "unsupported_media"
	CodeRateLimited       Code = "rate_limited"
	CodeInternal          Code = "internal"
	CodeMethodNotAllowed  Code = "method_not_allowed"
	CodeUnauthorized      Code = "unauthorized"
	CodeForbidden         Code = "forbidden"
	CodeNotFound          Code = "not_found"
	CodeIDConflict        Code = "id_conflict"
	CodeConflict          Code = "conflict"
	CodeChallengeRequired Code = "challenge_required"
	CodeStorageFull       Code = "storage_full"
	CodeUnavailable       Code = "unavailable"
)

// statuses is the one table from a code to its HTTP status.
var statuses = map[Code]int{
	CodeBadJSON: 400, CodeBadRequest: 400,
	CodeUnauthorized:      401,
	CodeForbidden:         403,
	CodeChallengeRequired: 403,
	CodeNotFound:          404,
	CodeMethodNotAllowed:  405,
	CodeIDConflict:        409,
	CodeConflict:          409,
	CodeTooLarge:          413,
	CodeUnsupportedMedia:  415,
	CodeUnknownType:       422, CodeInvalidField: 422, CodeInvalidText: 422,
	CodeRateLimited: 429,
	CodeInternal:    500,
	CodeUnavailable: 503,
	CodeStorageFull: 507,
}

// HTTPStatus is the status that answers the code; 500 for one it does not know.
func (c Code) HTTPStatus() int {
	if status, ok := statuses[c]; ok {
		return status
	}
	return statuses[CodeInternal]
}

// Codes lists all codes in alphabetical order; the caller owns the slice.
func Codes() []Code { return slices.Sorted(maps.Keys(statuses)) }

// FieldError says what is wrong with one field; Path is dotted, from the body's
// root ("settings.accent"). It never repeats the value: that may be a secret.
type FieldError struct {
	Path    string `json:"path"`
	Message string `json:"message"`
}

// Error is a failure that the client may read. Anything that is not an Error is
// our own fault, is logged and answered as CodeInternal.
type Error struct {
	Code    Code
	Message string
	// Fields is set for CodeInvalidField and CodeInvalidText.
	Fields []FieldError
	// Current is the present object, set for CodeConflict.
	Current any
	// RetryAfter is set for CodeRateLimited and CodeUnavailable where known.
	RetryAfter time.Duration
}

// Error implements error.
func (e *Error) Error() string {
	if len(e.Fields) == 0 {
		return e.Message
	}
	parts := make([]string, len(e.Fields))
	for i, f := range e.Fields {
		parts[i] = f.Path + ": " + f.Message
	}
	return strings.Join(parts, "; ")
}

// Errorf makes an Error; the text is shown to clients.
func Errorf(code Code, format string, args ...any) *Error {
	return &Error{Code: code, Message: fmt.Sprintf(format, args...)}
}

// InvalidFields makes the Error for fields that are not valid.
func InvalidFields(fields ...FieldError) *Error {
	return &Error{Code: CodeInvalidField, Message: invalidFields, Fields: fields}
}

// InvalidField is InvalidFields for one.
func InvalidField(path, message string) *Error {
	return InvalidFields(FieldError{Path: path, Message: message})
}

// InvalidText makes the Error for a field with text that no store should hold.
func InvalidText(path, message string) *Error {
	return &Error{Code: CodeInvalidText, Message: invalidFields, Fields: []FieldError{{Path: path, Message: message}}}
}

const invalidFields = "some fields are not valid"

// CodeOf is the code of the Error that err wraps, CodeInternal for any other
// error and "" for nil.
func CodeOf(err error) Code {
	if err == nil {
		return ""
	}
	if e := (*Error)(nil); errors.As(err, &e) {
		return e.Code
	}
	return CodeInternal
}

// problems collects what is wrong with a value, so that a client sees all of it
// at once.
type problems struct {
	code   Code
	fields []FieldError
}

func (p *problems) add(path, format string, args ...any) {
	if p.code == "" {
		p.code = CodeInvalidField
	}
	p.fields = append(p.fields, FieldError{Path: path, Message: fmt.Sprintf(format, args...)})
}

// addText records text that no store should hold; it wins over other codes.
func (p *problems) addText(path, message string) {
	p.code = CodeInvalidText
	p.fields = append(p.fields, FieldError{Path: path, Message: message})
}

func (p *problems) err() error {
	if len(p.fields) == 0 {
		return nil
	}
	return &Error{Code: p.code, Message: invalidFields, Fields: p.fields}
}
