package protocol

import (
	"errors"
	"reflect"
	"strings"
	"testing"
	"time"

	"earshot/models"
)

const eventID = "01890a5d-ac96-774b-bcce-b302099a8057"

func TestDecodeEnvelope(t *testing.T) {
	for _, tc := range []struct {
		name string
		in   string
		want VisitorClientEvent
		id   string
		code models.Code
	}{
		{name: "without data", in: `{"type":"Ping"}`, want: Ping{}},
		{name: "data is null", in: `{"type":"Ping","id":"7","data": null }`, want: Ping{}, id: "7"},
		{name: "a whole number with a fraction of none", in: `{"type":"FeedbackSubmitted","data":{"page_url":"p","message":"m","rating":5.0}}`,
			want: FeedbackSubmitted{PageURL: "p", Message: "m", Rating: new(5)}},
		{name: "with an id", in: `{"type":"Ping","id":"` + eventID + `","data":{}}`, want: Ping{}, id: eventID},
		{name: "any short id is sent back", in: `{"type":"Ping","id":"7"}`, want: Ping{}, id: "7"},
		{name: "null id", in: `{"type":"Ping","id":null}`, want: Ping{}},
		{name: "unknown members", in: `{"type":"Ping","seq":5,"trace":{"a":[1]},"data":{"later":1}}`, want: Ping{}},
		{name: "a draft", in: `{"type":"DraftChanged","data":{"text":"ä","shared":true}}`, want: DraftChanged{Text: "ä", Shared: true}},
		{name: "depth 16 counts the envelope", in: `{"type":"Ping","data":{"later":` + nested(14) + `}}`, want: Ping{}},

		{name: "depth 17", in: `{"type":"Ping","id":"` + eventID + `","data":{"later":` + nested(15) + `}}`, code: models.CodeBadJSON},
		{name: "no type", in: `{"id":"` + eventID + `"}`, id: eventID, code: models.CodeInvalidField},
		{name: "null type", in: `{"type":null,"id":"` + eventID + `"}`, id: eventID, code: models.CodeInvalidField},
		{name: "type is a number", in: `{"type":5,"id":"` + eventID + `"}`, id: eventID, code: models.CodeInvalidField},
		{name: "empty type", in: `{"type":"","id":"` + eventID + `"}`, id: eventID, code: models.CodeUnknownType},
		{name: "unknown type", in: `{"type":"Knocked","id":"` + eventID + `"}`, id: eventID, code: models.CodeUnknownType},
		{name: "type in another case", in: `{"type":"ping","id":"` + eventID + `"}`, id: eventID, code: models.CodeUnknownType},
		{name: "another sum's type", in: `{"type":"Subscribe","id":"` + eventID + `"}`, id: eventID, code: models.CodeUnknownType},
		{name: "a server's type", in: `{"type":"Pong"}`, code: models.CodeUnknownType},
		{name: "member in another case", in: `{"Type":"Ping"}`, code: models.CodeBadJSON},
		{name: "type twice", in: `{"type":"Ping","type":"Hello"}`, code: models.CodeBadJSON},
		{name: "bad JSON gives no id", in: `{"id":"` + eventID + `","type":"Ping",}`, code: models.CodeBadJSON},
		{name: "id is a number", in: `{"type":"Ping","id":7}`, code: models.CodeInvalidField},
		{name: "id is too long to send back", in: `{"type":"Ping","id":"` + strings.Repeat("a", 65) + `"}`, code: models.CodeInvalidField},
		{name: "bad text beside a good id", in: `{"type":"\ud800","id":"` + eventID + `"}`, id: eventID, code: models.CodeInvalidText},
		{name: "bad text beside another id", in: `{"type":"\ud800","id":"7"}`, code: models.CodeInvalidText},
		{name: "bad text in the id", in: `{"type":"Ping","id":"\ud800"}`, code: models.CodeInvalidText},
		{name: "data lacks what is required, being null", in: `{"type":"DraftChanged","id":"7","data":null}`, id: "7", code: models.CodeInvalidField},
		{name: "data is a list", in: `{"type":"Ping","id":"7","data":[]}`, id: "7", code: models.CodeInvalidField},
		{name: "data lacks a member", in: `{"type":"DraftChanged","id":"7"}`, id: "7", code: models.CodeInvalidField},
		{name: "data has the wrong type", in: `{"type":"DraftChanged","id":"7","data":{"text":5}}`, id: "7", code: models.CodeInvalidField},
		{name: "data repeats a member", in: `{"type":"DraftChanged","id":"7","data":{"text":"a","text":"b"}}`, code: models.CodeBadJSON},
		{name: "data misspells a member", in: `{"type":"DraftChanged","id":"7","data":{"text":"a","Shared":true}}`, id: "7", code: models.CodeBadJSON},
		{name: "not an object", in: `"Ping"`, code: models.CodeBadJSON},
		{name: "a list", in: ` [{"type":"Ping"}]`, code: models.CodeBadJSON},
		{name: "null", in: `null`, code: models.CodeBadJSON},
	} {
		t.Run(tc.name, func(t *testing.T) {
			got, id, err := Decode(VisitorClient, []byte(tc.in))
			if models.CodeOf(err) != tc.code {
				t.Fatalf("Decode(%s) = %+v, %v; want code %q", tc.in, got, err, tc.code)
			}
			if id != tc.id {
				t.Errorf("Decode(%s) gives id %q, want %q", tc.in, id, tc.id)
			}
			if !reflect.DeepEqual(got, tc.want) {
				t.Errorf("Decode(%s) = %#v, want %#v", tc.in, got, tc.want)
			}
		})
	}
}

func TestEncodeEscapesOnlyWhatJSONNeeds(t *testing.T) {
	event := specialCharacters()
	got, err := Encode(DashboardServer, event, Meta{Re: "7", Epoch: "e", Seq: 9})
	if err != nil {
		t.Fatal(err)
	}
	want := `{"type":"DraftChanged","re":"7","epoch":"e","seq":9,"data":{"project_id":"p","session_id":"s","text":"<b>&\u2028😀\"","page_url":""}}`
	if string(got) != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

// specialCharacters is an event with the characters that encoders treat in
// special ways.
func specialCharacters() DashboardServerEvent {
	return DashboardDraftChanged{ProjectID: "p", SessionID: "s", Text: new("<b>&\u2028😀\"")}
}

func TestErrorEventTellsNoSecrets(t *testing.T) {
	refused := &models.Error{
		Code: models.CodeRateLimited, Message: "too many", RetryAfter: 1500 * time.Millisecond,
		Fields: []models.FieldError{{Path: "a", Message: "is missing"}},
	}
	for _, tc := range []struct {
		name string
		err  error
		want Error
	}{
		{"our own fault", errors.New("no such table: feedback"), Error{Code: models.CodeInternal, Message: "something went wrong on our side"}},
		{"a refusal", refused, Error{Code: models.CodeRateLimited, Message: "a: is missing", Errors: refused.Fields, RetryAfterMS: 1500}},
		{"a wrapped refusal", errors.Join(errors.New("secret"), refused), Error{Code: models.CodeRateLimited, Message: "a: is missing", Errors: refused.Fields, RetryAfterMS: 1500}},
	} {
		if got := ErrorEvent(tc.err); !reflect.DeepEqual(got, tc.want) {
			t.Errorf("%s: got %+v, want %+v", tc.name, got, tc.want)
		}
	}
}

func TestCloseCodes(t *testing.T) {
	for _, code := range CloseCodes() {
		reason := code.Reason()
		if len(reason) > 123 { // RFC 6455 §5.5: 125 bytes less the code
			t.Errorf("the reason of %d has %d bytes, at most 123 fit", code, len(reason))
		}
		if (reason == "") != (code == CloseNormal) {
			t.Errorf("the reason of %d is %q", code, reason)
		}
	}
}
