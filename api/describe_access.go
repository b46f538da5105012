package api

import (
	"net/http"
	"reflect"

	"github.com/danielgtaylor/huma/v2"
)

// describeAccess describes what is not registered with huma of signing in and of the
// record of what was done.
func describeAccess(doc *huma.OpenAPI) {
	redirect := map[string]*huma.Response{"303": {Description: "Goes on elsewhere"}, "default": problemResponse(doc)}
	doc.AddOperation(&huma.Operation{
		OperationID: "start-oidc", Method: http.MethodGet, Path: oidcPath, Tags: []string{"Your account"},
		Summary: "Sign in at another provider: for browsers to go to", Responses: redirect,
	})
	doc.AddOperation(&huma.Operation{
		OperationID: "finish-oidc", Method: http.MethodGet, Path: oidcPath + "/callback", Tags: []string{"Your account"},
		Summary: "Where the other provider sends the browser back to", Responses: redirect,
		Parameters: []*huma.Param{
			queryParam("code", "To be exchanged at the provider", huma.TypeString), queryParam("state", "Of the sign-in that was begun", huma.TypeString),
			queryParam("error", "Why it came to nothing", huma.TypeString),
		},
	})
	entry := doc.Components.Schemas.Schema(reflect.TypeFor[AuditEntry](), true, "AuditEntry")
	doc.AddOperation(&huma.Operation{
		OperationID: "export-audit", Method: http.MethodGet, Path: "/api/v1/audit/export", Tags: []string{"Audit log"},
		Summary: "The whole audit log as JSON lines, oldest first", Security: []map[string][]string{{"bearer": {}}},
		Responses: answers(doc, 200, "One entry a line", entry, "application/x-ndjson", 0, ""),
	})
}
