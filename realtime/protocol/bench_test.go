package protocol

import "testing"

const benchSubmission = `{"type":"FeedbackSubmitted","id":"` + eventID + `","data":{"page_url":"https://shop.example/cart?step=2",` +
	`"message":"The total is wrong: two times 4.50 is 9.00 and not 9.50. I tried it with another cart and it is the same there.",` +
	`"kind":"bug","rating":2,"email":"ann@example.com","name":"Ann","context":{"cart":[1,{"sku":"x-17","price":4.5}],"plan":null}}}`

func BenchmarkDecodeJSON(b *testing.B) {
	frame := []byte(benchSubmission)
	b.ReportAllocs()
	for b.Loop() {
		if _, _, err := Decode(VisitorClient, frame); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkEncodeJSON(b *testing.B) {
	event := VisitorFeedbackReceived{ID: eventID, ReceiptURL: "https://earshot.example/r/0123456789012345678901234567890123456789012"}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Encode(VisitorServer, VisitorServerEvent(event), Meta{Re: eventID}); err != nil {
			b.Fatal(err)
		}
	}
}
