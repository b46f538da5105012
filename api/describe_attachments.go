package api

import (
	"net/http"
	"reflect"

	"github.com/danielgtaylor/huma/v2"
)

// describeAttachments describes how files come and go.
func describeAttachments(doc *huma.OpenAPI) {
	form := &huma.Schema{Type: huma.TypeObject, Required: []string{"file"}, Properties: map[string]*huma.Schema{
		"file": {Type: huma.TypeString, Format: "binary", Description: "PNG, JPEG, WebP or GIF, which are made anew without metadata as PNG or JPEG; PDF or plain text, which are kept as they are. At most 10 MiB, images at most 40 megapixels"},
	}}
	form.PrecomputeMessages()
	doc.AddOperation(&huma.Operation{
		OperationID: "upload-attachment", Method: http.MethodPost, Path: "/w/{key}/attachments", Tags: []string{"Visitors"},
		Summary:     "Upload a file, to be named in a submission within the hour",
		Description: "With the resume token only that session may name it. A visitor's session may upload 20 files an hour, an address 60 and 200 MiB, a project 1,000 and 2 GiB.",
		Security:    []map[string][]string{{}, {"visitor": {}}},
		Parameters:  []*huma.Param{pathParam("key", "The project's public key")},
		RequestBody: &huma.RequestBody{Required: true, Content: map[string]*huma.MediaType{"multipart/form-data": {Schema: form}}},
		Responses:   answers(doc, 201, "Kept", doc.Components.Schemas.Schema(reflect.TypeFor[Uploaded](), true, "Uploaded"), "application/json", 0, ""),
	})
	file := &huma.Schema{Type: huma.TypeString, Format: "binary"}
	doc.AddOperation(&huma.Operation{
		OperationID: "download-attachment", Method: http.MethodGet, Path: "/api/v1/attachments/{id}", Tags: []string{"Feedback"},
		Summary: "A visitor's file", Security: []map[string][]string{{"bearer": {}}},
		Parameters: []*huma.Param{pathParam("id", "The attachment's id")},
		Responses:  answers(doc, 200, "The file", file, "application/octet-stream", 0, ""),
	})
	doc.AddOperation(&huma.Operation{
		OperationID: "open-attachment", Method: http.MethodGet, Path: "/a/{id}/{token}", Tags: []string{"Feedback"},
		Summary:    "The same by a link, for five minutes and without a credential",
		Parameters: []*huma.Param{pathParam("id", "The attachment's id"), pathParam("token", "From the attachment's url")},
		Responses:  answers(doc, 200, "The file", file, "application/octet-stream", 0, ""),
	})
}
