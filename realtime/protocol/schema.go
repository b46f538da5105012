package protocol

import (
	"slices"

	"github.com/danielgtaylor/huma/v2"
)

// AddSchemas adds the four unions of events, their envelopes and their data to
// a registry of schemas, from which the documents and the TypeScript are made.
// The unions are called like the sums' interfaces.
func AddSchemas(registry huma.Registry) {
	addUnion(registry, "VisitorClient", VisitorClient.Events(), true)
	addUnion(registry, "VisitorServer", VisitorServer.Events(), false)
	addUnion(registry, "DashboardClient", DashboardClient.Events(), true)
	addUnion(registry, "DashboardServer", DashboardServer.Events(), false)
}

const schemaPath = "#/components/schemas/"

func addUnion(registry huma.Registry, sum string, events []EventType, fromClient bool) {
	union := &huma.Schema{Discriminator: &huma.Discriminator{PropertyName: "type", Mapping: map[string]string{}}}
	for _, event := range events {
		name := sum + event.Name
		data := registry.Schema(event.Type, true, event.Type.Name())
		// Clients ignore members that they do not know: schemas must not
		// forbid what a newer server adds.
		if s := registry.SchemaFromRef(data.Ref); s != nil {
			s.AdditionalProperties = nil
		}
		registry.Map()[name] = envelopeSchema(event.Name, data, fromClient)
		union.OneOf = append(union.OneOf, &huma.Schema{Ref: schemaPath + name})
		union.Discriminator.Mapping[event.Name] = schemaPath + name
	}
	registry.Map()[sum+"Event"] = union
}

// identified are the events of clients whose id is that of what they make.
func identified() []string {
	return []string{"FeedbackSubmitted", "MessageSent", "ReplySent", "NoteAdded"}
}

func envelopeSchema(name string, data *huma.Schema, fromClient bool) *huma.Schema {
	s := &huma.Schema{
		Type: huma.TypeObject,
		Properties: map[string]*huma.Schema{
			"type": {Type: huma.TypeString, Enum: []any{name}},
			"data": data,
		},
		Required: []string{"type", "data"},
	}
	if fromClient {
		if slices.Contains(identified(), name) {
			s.Required = append(s.Required, "id")
		}
		s.Properties["id"] = &huma.Schema{Type: huma.TypeString, Description: "The sender's UUIDv7; a submission's is the feedback's id and its idempotency key"}
		return s
	}
	one := 1.0
	s.Properties["re"] = &huma.Schema{Type: huma.TypeString, Description: "The id of the event that this one answers"}
	s.Properties["epoch"] = &huma.Schema{Type: huma.TypeString, Description: "Which life of the log seq belongs to"}
	s.Properties["seq"] = &huma.Schema{Type: huma.TypeInteger, Format: "int64", Minimum: &one, Description: "Place in the project's log; only durable events have one"}
	return s
}

// Schema implements huma.SchemaProvider.
func (ResumeReason) Schema(huma.Registry) *huma.Schema {
	return &huma.Schema{
		Type: huma.TypeString,
		Description: "unknown_token: the resume token belongs to no session. epoch_changed: since was counted in another life of the log. " +
			"too_old: since is before the replay window. beyond_head: since is after the log's end. " +
			"project_deleted: the project is no more, and Subscribe will be answered not_found",
		Enum: []any{
			string(ReasonUnknownToken), string(ReasonEpochChanged), string(ReasonTooOld), string(ReasonBeyondHead), string(ReasonProjectDeleted),
		},
	}
}
