package api

import (
	"encoding/json"
	"net/http"
	"reflect"
	"slices"
	"strconv"

	"github.com/danielgtaylor/huma/v2"

	"earshot/realtime/protocol"
)

const description = `Earshot takes feedback in from visitors of websites and shows it live to the staff, who take care of it.

Errors are application/problem+json (RFC 9457); programs switch over code. Lists are read by cursor. Times are RFC 3339, UTC.
Clients ignore members and events that they do not know.`

// describe completes the OpenAPI document: what is not registered with huma, the
// sockets' events, and the ways to sign in.
func describe(doc *huma.OpenAPI) {
	doc.Info.Description = description
	doc.Info.License = &huma.License{Name: "Apache-2.0", Identifier: "Apache-2.0"}
	doc.Components.SecuritySchemes = map[string]*huma.SecurityScheme{
		"bearer":  {Type: "http", Scheme: "bearer", BearerFormat: "JWT", Description: "The access token"},
		"visitor": {Type: "http", Scheme: "bearer", Description: "A visitor's resume token"},
		"cookie":  {Type: "apiKey", In: "cookie", Name: refreshCookie, Description: "The refresh token, from the server's own pages only"},
	}
	describeVisitors(doc)
	describeStream(doc.Paths[eventsPath].Get)
	describeImports(doc)
	describeAccess(doc)
	describeAttachments(doc)
	describeSockets(doc)
	describeMetrics(doc)
	protocol.AddSchemas(doc.Components.Schemas)
	relax(doc)
	admitNull(doc.Components.Schemas)
}

// admitNull adds null to the values of what may be null: a list of allowed values
// forbids it otherwise, whatever the type says (JSON Schema 2020-12 §6.1.2).
func admitNull(registry huma.Registry) {
	for _, schema := range registry.Map() {
		for _, property := range schema.Properties {
			if property.Nullable && len(property.Enum) > 0 && property.Enum[len(property.Enum)-1] != nil {
				property.Enum = append(slices.Clip(property.Enum), nil)
			}
		}
	}
}

func describeVisitors(doc *huma.OpenAPI) {
	const tag = "Visitors"
	registry := doc.Components.Schemas
	schema := func(t reflect.Type, name string) *huma.Schema { return registry.Schema(t, true, name) }
	key := pathParam("key", "The project's public key")
	receipt := schema(reflect.TypeFor[Receipt](), "Receipt")
	body := schema(reflect.TypeFor[Submission](), "Submission")
	doc.AddOperation(&huma.Operation{
		OperationID: "submit-feedback", Method: http.MethodPost, Path: "/w/{key}/feedback", Tags: []string{tag},
		Summary: "Send feedback; repeatable with the same id", Parameters: []*huma.Param{key},
		RequestBody: &huma.RequestBody{Required: true, Content: map[string]*huma.MediaType{
			"application/json": {Schema: body}, "text/plain": {Schema: body},
		}},
		Responses: answers(doc, 201, "Stored", receipt, "application/json", 200, "Was stored before"),
	})
	doc.AddOperation(&huma.Operation{
		OperationID: "get-challenge", Method: http.MethodGet, Path: "/w/{key}/challenge", Tags: []string{tag},
		Summary: "What to work on after a challenge_required", Parameters: []*huma.Param{key},
		Description: "The answer goes into the proof of a submission, once. Past its project's limit or its address's, and where it is suspected, a submission needs one to reach the inbox.",
		Responses:   answers(doc, 200, "OK", schema(reflect.TypeFor[Challenge](), "Challenge"), "application/json", 0, ""),
	})
	poll := schema(reflect.TypeFor[Poll](), "Poll")
	doc.AddOperation(&huma.Operation{
		OperationID: "poll-events", Method: http.MethodPost, Path: "/w/{key}/poll", Tags: []string{tag},
		Summary: "What happened to the visitor's items, by long poll, for hosts without sockets", Parameters: []*huma.Param{key},
		Security: []map[string][]string{{"visitor": {}}},
		RequestBody: &huma.RequestBody{Required: true, Content: map[string]*huma.MediaType{
			"application/json": {Schema: poll}, "text/plain": {Schema: poll},
		}},
		Responses: answers(doc, 200, "OK", schema(reflect.TypeFor[VisitorEvents](), "VisitorEvents"), "application/json", 0, ""),
	})
	doc.AddOperation(&huma.Operation{
		OperationID: "list-conversations", Method: http.MethodGet, Path: "/w/{key}/conversations", Tags: []string{tag},
		Summary: "The visitor's own items with their public messages, newest first", Security: []map[string][]string{{"visitor": {}}},
		Parameters: []*huma.Param{key, queryParam("limit", "1 to 200; larger is capped", huma.TypeInteger), queryParam("cursor", "next_cursor of the page before", huma.TypeString)},
		Responses:  answers(doc, 200, "OK", schema(reflect.TypeFor[ConversationList](), "ConversationList"), "application/json", 0, ""),
	})
	describeReceipts(doc, schema)
	config := schema(reflect.TypeFor[WidgetConfig](), "WidgetConfig")
	text := &huma.Schema{Type: huma.TypeString}
	for _, file := range []struct {
		id, path, summary, media string
		params                   []*huma.Param
		schema                   *huma.Schema
	}{
		{"get-widget", "/w/{key}.js", "The widget with the project's configuration", "text/javascript", []*huma.Param{key}, text},
		{"get-widget-config", "/w/{key}/config.json", "The project's public configuration", "application/json", []*huma.Param{key}, config},
		{"get-pinned-widget", "/w/v/{version}/core.js", "One version of the widget, for ever", "text/javascript",
			[]*huma.Param{pathParam("version", "Of the widget")}, text},
		{"get-widget-live", "/w/v/{version}/live.js", "What it loads when the panel opens", "text/javascript",
			[]*huma.Param{pathParam("version", "Of the widget")}, text},
		{"get-widget-talk", "/w/v/{version}/talk.js", "What it loads when a visitor wants their conversations", "text/javascript",
			[]*huma.Param{pathParam("version", "Of the widget")}, text},
		{"get-widget-shot", "/w/v/{version}/shot.js", "What it loads when a visitor wants a picture of the page", "text/javascript",
			[]*huma.Param{pathParam("version", "Of the widget")}, text},
		{"get-widget-mend", "/w/v/{version}/mend.js", "What it loads when a submission is refused", "text/javascript",
			[]*huma.Param{pathParam("version", "Of the widget")}, text},
		{"get-widget-strings", "/w/v/{version}/{locale}.json", "One language of it", "application/json",
			[]*huma.Param{pathParam("version", "Of the widget"), pathParam("locale", "Two letters")},
			&huma.Schema{Type: huma.TypeObject, AdditionalProperties: true}},
		{"get-receipt", "/r/{receipt}", "The visitor's private page", "text/html", []*huma.Param{pathParam("receipt", "A secret")}, text},
	} {
		doc.AddOperation(&huma.Operation{
			OperationID: file.id, Method: http.MethodGet, Path: file.path, Tags: []string{tag}, Summary: file.summary,
			Parameters: file.params, Responses: answers(doc, 200, "OK", file.schema, file.media, 0, ""),
		})
	}
}

// describeReceipts is for what a visitor can do by way of a receipt.
func describeReceipts(doc *huma.OpenAPI, schema func(reflect.Type, string) *huma.Schema) {
	const tag = "Visitors"
	receipt := pathParam("receipt", "A secret")
	message := schema(reflect.TypeFor[ReceiptMessage](), "ReceiptMessage")
	doc.AddOperation(&huma.Operation{
		OperationID: "post-receipt-message", Method: http.MethodPost, Path: "/r/{receipt}/messages", Tags: []string{tag},
		Summary: "Write back; repeatable with the same id", Parameters: []*huma.Param{receipt},
		RequestBody: &huma.RequestBody{Required: true, Content: map[string]*huma.MediaType{
			"application/json": {Schema: message}, "text/plain": {Schema: message},
		}},
		Responses: answers(doc, 201, "Stored", schema(reflect.TypeFor[Posted](), "Posted"), "application/json", 200, "Was stored before"),
	})
	doc.AddOperation(&huma.Operation{
		OperationID: "export-receipt", Method: http.MethodGet, Path: "/r/{receipt}/export", Tags: []string{tag},
		Summary: "All that is kept of the visitor's item", Parameters: []*huma.Param{receipt},
		Responses: answers(doc, 200, "OK", schema(reflect.TypeFor[ReceiptExport](), "ReceiptExport"), "application/json", 0, ""),
	})
	doc.AddOperation(&huma.Operation{
		OperationID: "renew-receipt", Method: http.MethodPost, Path: "/r/{receipt}/renew", Tags: []string{tag},
		Summary: "Change the receipt's address: the present one leads nowhere afterwards", Parameters: []*huma.Param{receipt},
		Responses: answers(doc, 200, "The new address", schema(reflect.TypeFor[RenewedReceipt](), "RenewedReceipt"), "application/json", 0, ""),
	})
	doc.AddOperation(&huma.Operation{
		OperationID: "erase-receipt", Method: http.MethodPost, Path: "/r/{receipt}/erase", Tags: []string{tag},
		Summary: "Erase the item for good", Parameters: []*huma.Param{receipt},
		Responses: answers(doc, 204, "Erased", nil, "", 0, ""),
	})
}

func describeMetrics(doc *huma.OpenAPI) {
	doc.AddOperation(&huma.Operation{
		OperationID: "get-metrics", Method: http.MethodGet, Path: "/metrics", Tags: []string{"Operations"},
		Summary:     "The server's figures in Prometheus's text format",
		Description: "For owners of the organisation that set the server up, and its API keys with the scope metrics:read.",
		Security:    []map[string][]string{{"bearer": {}}},
		Responses:   answers(doc, 200, "OK", &huma.Schema{Type: huma.TypeString}, "text/plain", 0, ""),
	})
}

// describeImports is for the one call whose body is a form.
func describeImports(doc *huma.OpenAPI) {
	text := &huma.Schema{Type: huma.TypeString}
	form := &huma.Schema{Type: huma.TypeObject, Required: []string{"file", "format"}, Properties: map[string]*huma.Schema{
		"file":    {Type: huma.TypeString, Format: "binary", Description: "At most 32 MiB with all the rest; larger files are for the command earshot import"},
		"format":  {Type: huma.TypeString, Enum: []any{"csv", "jsonl"}},
		"mapping": {Type: huma.TypeString, Description: "Of CSV: a JSON object from the names of columns to message, page_url, kind, rating, email, name, status, priority, tags, created_at, context or \"\" for none. Columns that it does not name are known by their names"},
		"dry_run": {Type: huma.TypeString, Enum: []any{"true", "false"}, Description: "true only looks, and reports what would be refused"},
	}}
	form.PrecomputeMessages()
	doc.AddOperation(&huma.Operation{
		OperationID: "create-import", Method: http.MethodPost, Path: "/api/v1/projects/{id}/imports", Tags: []string{"Jobs"},
		Summary:     "Import feedback from CSV or JSON lines, by owners and admins",
		Description: "Each row is checked as a submission is. One that is not right is named, with its line and the reason, in the job's report; the others are taken in. Ids are made from the job and the line.",
		Security:    []map[string][]string{{"bearer": {}}},
		Parameters:  []*huma.Param{{Name: "id", In: "path", Required: true, Schema: text, Description: "The project's id"}},
		RequestBody: &huma.RequestBody{Required: true, Content: map[string]*huma.MediaType{"multipart/form-data": {Schema: form}}},
		Responses:   answers(doc, 202, "Accepted", doc.Components.Schemas.Schema(reflect.TypeFor[Job](), true, "Job"), "application/json", 0, ""),
	})
}

// describeStream adds to a call that it can answer as a stream.
func describeStream(op *huma.Operation) {
	op.Parameters = append(op.Parameters, &huma.Param{
		Name: lastEventID, In: "header", Schema: &huma.Schema{Type: huma.TypeString},
		Description: "Of a stream: the id of the last event received, epoch:seq. It goes before the query",
	})
	op.Description = "With Accept: text/event-stream the answer goes on: each event has its name, an id of the form epoch:seq, and as data " +
		"the same text as in the JSON answer. ResyncRequired and GoingAway, which have no id, are followed by the stream's end, " +
		"as the session's and the token's end are. A comment comes at least every 15 seconds. wait and limit say nothing here."
	op.Responses["200"].Content[eventStreamType] = &huma.MediaType{Schema: &huma.Schema{Type: huma.TypeString}}
}

func describeSockets(doc *huma.OpenAPI) {
	upgrade := func(union string) map[string]*huma.Response {
		return answers(doc, 101, "A WebSocket that carries "+union+"; see asyncapi.json", nil, "", 0, "")
	}
	doc.AddOperation(&huma.Operation{
		OperationID: "visitor-socket", Method: http.MethodGet, Path: "/w/{key}/socket", Tags: []string{"Live"},
		Summary: "The visitor's WebSocket", Parameters: []*huma.Param{
			pathParam("key", "The project's public key"),
			{Name: taggingParameter, In: "query", Description: externalTagging,
				Schema: &huma.Schema{Type: huma.TypeString, Enum: []any{protocol.TaggingExternal}}},
		},
		Responses: upgrade("VisitorServerEvent"),
	})
	doc.AddOperation(&huma.Operation{
		OperationID: "dashboard-socket", Method: http.MethodGet, Path: ticketPath, Tags: []string{"Live"},
		Summary: "The dashboard's WebSocket", Security: []map[string][]string{{}, {"bearer": {}}},
		Parameters: []*huma.Param{{Name: "ticket", In: "query", Schema: &huma.Schema{Type: huma.TypeString},
			Description: "Instead of an Authorization header, which browsers cannot send here"}},
		Responses: upgrade("DashboardServerEvent"),
	})
	// A webhook is OpenAPI's only place for a message that no request asks for;
	// what nothing refers to is dropped from the document.
	doc.Webhooks = map[string]*huma.PathItem{}
	for _, union := range unions() {
		doc.Webhooks[union] = &huma.PathItem{Post: &huma.Operation{
			OperationID: "event-" + union, Summary: "One frame of a socket, see asyncapi.json", Tags: []string{"Live"},
			RequestBody: &huma.RequestBody{Content: map[string]*huma.MediaType{"application/json": {Schema: ref(union)}}},
			Responses:   map[string]*huma.Response{"default": {Description: "Frames have no answer of their own"}},
		}}
	}
}

func unions() []string {
	return []string{"VisitorClientEvent", "VisitorServerEvent", "DashboardClientEvent", "DashboardServerEvent"}
}

func ref(name string) *huma.Schema { return &huma.Schema{Ref: "#/components/schemas/" + name} }

func pathParam(name, about string) *huma.Param {
	return &huma.Param{Name: name, In: "path", Required: true, Description: about, Schema: &huma.Schema{Type: huma.TypeString}}
}

func queryParam(name, about, kind string) *huma.Param {
	return &huma.Param{Name: name, In: "query", Description: about, Schema: &huma.Schema{Type: kind}}
}

// answers documents one or two good answers of the same form, and the problem.
func answers(doc *huma.OpenAPI, status int, about string, schema *huma.Schema, media string, second int, aboutSecond string) map[string]*huma.Response {
	response := func(about string) *huma.Response {
		r := &huma.Response{Description: about}
		if schema != nil {
			r.Content = map[string]*huma.MediaType{media: {Schema: schema}}
		}
		return r
	}
	all := map[string]*huma.Response{
		strconv.Itoa(status): response(about),
		"default":            problemResponse(doc),
	}
	if second != 0 {
		all[strconv.Itoa(second)] = response(aboutSecond)
	}
	return all
}

// relax lets answers and visitors' requests have more members than documented: a
// newer server adds some, and clients ignore what they do not know. What staff
// send stays closed; huma checks it by these very schemas.
func relax(doc *huma.OpenAPI) {
	closed := map[string]bool{}
	for _, item := range doc.Paths {
		for _, op := range []*huma.Operation{item.Post, item.Put, item.Patch} {
			if op == nil || op.RequestBody == nil || op.RequestBody.Content["text/plain"] != nil {
				continue
			}
			for _, media := range op.RequestBody.Content {
				reach(doc.Components.Schemas, media.Schema, closed)
			}
		}
	}
	for name, schema := range doc.Components.Schemas.Map() {
		if !closed[name] && schema.AdditionalProperties == false {
			schema.AdditionalProperties = nil
		}
	}
}

// reach marks all schemas that one refers to.
func reach(registry huma.Registry, schema *huma.Schema, marked map[string]bool) {
	if schema == nil {
		return
	}
	if name := refName(schema.Ref); name != "" && !marked[name] {
		marked[name] = true
		reach(registry, registry.Map()[name], marked)
	}
	reach(registry, schema.Items, marked)
	for _, property := range schema.Properties {
		reach(registry, property, marked)
	}
}

func refName(ref string) string {
	const prefix = "#/components/schemas/"
	if len(ref) <= len(prefix) {
		return ""
	}
	return ref[len(prefix):]
}

// Documents makes both documents from the code.
func Documents() (openAPI, asyncAPI []byte, err error) {
	s, err := newServer(Config{BaseURL: "http://localhost:8080", Secret: make([]byte, minSecret)})
	if err != nil {
		return nil, nil, err
	}
	s.leave()
	s.app = s.newApp()
	if err := s.routes(); err != nil {
		return nil, nil, err
	}
	if openAPI, err = indented(s.huma.OpenAPI()); err != nil {
		return nil, nil, err
	}
	asyncAPI, err = indented(asyncDocument(s.huma.OpenAPI()))
	return openAPI, asyncAPI, err
}

// indented goes through a plain value, so that members are sorted and a document
// changes only where its content does.
func indented(document any) ([]byte, error) {
	raw, err := json.Marshal(document)
	if err != nil {
		return nil, err
	}
	var plain any
	if err := json.Unmarshal(raw, &plain); err != nil {
		return nil, err
	}
	out, err := json.MarshalIndent(plain, "", "  ")
	return append(out, '\n'), err
}
