package protocol

import (
	"reflect"
	"testing"

	"earshot/models"
)

func TestExternalSubmissionsHaveAnID(t *testing.T) {
	const rest = `"page_url":"p","message":"m"`
	want := FeedbackSubmitted{PageURL: "p", Message: "m"}
	for _, tc := range []struct {
		name, in, id string
	}{
		{"its own", `{"FeedbackSubmitted":{"id":"` + eventID + `",` + rest + `}}`, eventID},
		{"its own, at the end", ` { "FeedbackSubmitted" : {` + rest + `,"\u0069d":"` + eventID + `"} } `, eventID},
		{"one that the domain refuses", `{"FeedbackSubmitted":{"id":"7",` + rest + `}}`, "7"},
		{"one that is empty", `{"FeedbackSubmitted":{"id":"",` + rest + `}}`, ""},
	} {
		got, id, err := VisitorClient.Decode(External, []byte(tc.in))
		if err != nil || !reflect.DeepEqual(got, want) || id != tc.id {
			t.Errorf("%s: Decode(%s) = %+v, %q, %v; want %+v, %q", tc.name, tc.in, got, id, err, want, tc.id)
		}
	}

	seen := map[string]bool{}
	for _, in := range []string{`{"FeedbackSubmitted":{` + rest + `}}`, `{"FeedbackSubmitted":{"id":null,` + rest + `}}`} {
		for range 2 {
			got, id, err := VisitorClient.Decode(External, []byte(in))
			if err != nil || !reflect.DeepEqual(got, want) || !models.ID(id).Valid() || seen[id] {
				t.Errorf("Decode(%s) = %+v, %q, %v; want %+v and a new id", in, got, id, err, want)
			}
			seen[id] = true
		}
	}

	if _, id, err := VisitorClient.Decode(External, []byte(`{"DraftChanged":{"text":"a"}}`)); err != nil || id != "" {
		t.Errorf("a draft has the id %q (%v), want none", id, err)
	}
	if got, id, err := VisitorClient.Decode(External, []byte(`{"FeedbackSubmitted":{"id":"`+eventID+`","page_url":5,"message":"m"}}`)); id != eventID || err == nil {
		t.Errorf("a refused submission is %+v, %q, %v; want its id and invalid_field", got, id, err)
	}
}

// The limit of depth counts the object around the event as it counts an envelope.
func TestExternalDepth(t *testing.T) {
	frame := func(depth int) []byte {
		return []byte(`{"DraftChanged":{"text":"","later":` + nested(depth-2) + `}}`)
	}
	if _, _, err := VisitorClient.Decode(External, frame(MaxDepth)); err != nil {
		t.Errorf("depth %d: %v", MaxDepth, err)
	}
	if _, _, err := VisitorClient.Decode(External, frame(MaxDepth+1)); models.CodeOf(err) != models.CodeBadJSON {
		t.Errorf("depth %d: %v, want bad_json", MaxDepth+1, err)
	}
}

// A client of External knows no dashboard's events, by whichever socket.
func TestExternalIsForVisitors(t *testing.T) {
	for _, event := range DashboardClient.Events() {
		if _, _, err := DashboardClient.Decode(External, []byte(`{"`+event.Name+`":{}}`)); models.CodeOf(err) != models.CodeUnknownType {
			t.Errorf("%s: %v, want unknown_type", event.Name, err)
		}
	}
	frame, ok, err := DashboardServer.Encode(External, Pong{}, Meta{})
	if frame != nil || ok || err != nil {
		t.Errorf("Encode = %s, %v, %v; want nothing", frame, ok, err)
	}
}
