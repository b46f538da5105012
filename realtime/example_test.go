package realtime_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"strings"

	"github.com/fasthttp/websocket"
	"github.com/gofiber/fiber/v2"

	"earshot/realtime"
	"earshot/realtime/protocol"
)

// What the two sides of the example may say. The methods close the sets.
type (
	clientEvent interface{ client() string }
	serverEvent interface{ server() string }

	text     struct{ Text string }
	greeting struct{ Text string }
	upper    struct{ Text string }
)

func (text) client() string     { return "Text" }
func (greeting) server() string { return "Greeting" }
func (upper) server() string    { return "Upper" }

// The smallest channel there is: it greets, and answers each text in upper case.
func ExampleSocket() {
	fromClient := protocol.NewSum[clientEvent](clientEvent.client, text{})
	fromServer := protocol.NewSum[serverEvent](serverEvent.server, greeting{}, upper{})
	transport := realtime.NewTransport(slog.Default())
	app := fiber.New(fiber.Config{DisableStartupMessage: true})
	realtime.Prepare(app)
	app.Get("/shout", func(c *fiber.Ctx) error {
		return realtime.Upgrade(transport, c, fromClient, fromServer, shout)
	})
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		fmt.Println(err)
		return
	}
	go func() { _ = app.Listener(listener) }()

	talk("ws://" + listener.Addr().String() + "/shout")
	_ = app.Shutdown()
	transport.Close()
	// Output:
	// {"type":"Greeting","data":{"Text":"What shall I shout?"}}
	// {"type":"Upper","re":"1","data":{"Text":"HELLO"}}
}

// shout is the server's side.
func shout(s *realtime.Socket[clientEvent, serverEvent]) error {
	ctx := context.Background()
	if err := s.Send(ctx, greeting{"What shall I shout?"}); err != nil {
		return err
	}
	for {
		event, err := s.Recv(ctx)
		if err != nil {
			return err
		}
		switch e := event.(type) {
		case text:
			if err := s.Answer(ctx, upper{strings.ToUpper(e.Text)}, s.Received()); err != nil {
				return err
			}
		}
	}
}

// talk is the client's side.
func talk(url string) {
	socket, _, err := websocket.DefaultDialer.Dial(url, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer func() { _ = socket.Close() }()
	_, greeting, err := socket.ReadMessage()
	if err == nil {
		err = socket.WriteMessage(websocket.TextMessage, []byte(`{"type":"Text","id":"1","data":{"Text":"hello"}}`))
	}
	_, answer, readErr := socket.ReadMessage()
	fmt.Printf("%s\n%s\n", greeting, answer)
	if err := errors.Join(err, readErr); err != nil {
		fmt.Println(err)
	}
}
