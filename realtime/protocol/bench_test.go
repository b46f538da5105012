package protocol

import "testing"

const benchSubmission = `{"type":"FeedbackSubmitted","id":"` + eventID + `","data":{"page_url":"https://shop.example/cart?step=2",` +
	`"message":"The total is wrong: two times 4.50 is 9.00 and not 9.50. I tried it with another cart and it is the same there.",` +
	`"kind":"bug","rating":2,"email":"ann@example.com","name":"Ann","context":{"cart":[1,{"sku":"x-17","price":4.5}],"plan":null}}}`

func BenchmarkDecode(b *testing.B) {
	event, id, err := VisitorClient.Decode(JSON, []byte(benchSubmission))
	if err != nil {
		b.Fatal(err)
	}
	for enc, called := range allEncodings {
		frame, _ := encodeClient(b, VisitorClient, enc, event, id)
		b.Run(called, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, _, err := VisitorClient.Decode(enc, frame); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkEncode(b *testing.B) {
	var event VisitorServerEvent = VisitorFeedbackReceived{
		ID: eventID, ReceiptURL: "https://earshot.example/r/0123456789012345678901234567890123456789012",
	}
	for enc, called := range allEncodings {
		b.Run(called, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, _, err := VisitorServer.Encode(enc, event, Meta{Re: eventID}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
