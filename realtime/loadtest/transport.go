package main

import (
	"bytes"
	"fmt"
	"strings"
	"time"

	"github.com/valyala/fasthttp"

	"earshot/models"
)

// transport is one writer's way to the server, with one submission on it at a
// time.
type transport interface {
	// submit returns once the submission is acknowledged.
	submit(id models.ID) error
	close() error
}

// overSocket is a visitor's socket, as the widget uses it first.
type overSocket struct {
	socket *wsClient
	event  []byte
}

func (p *process) dialVisitor() (transport, error) {
	const readBuffer = 2 << 10
	socket, err := dialSocket(p.Addr, "/w/"+p.Key+"/socket", "", readBuffer)
	if err != nil {
		return nil, err
	}
	if _, err := socket.next(); err != nil { // Connected
		return nil, err
	}
	return &overSocket{socket: socket}, nil
}

// refusal is a submission's answer that is no acknowledgement.
type refusal struct{ code, answer string }

// Error is the answer as it came.
func (r *refusal) Error() string { return "answered " + r.answer }

// refused reads the stable code of an Error, or of a problem.
func refused(answer []byte) error {
	r := &refusal{answer: string(answer)}
	if _, after, ok := bytes.Cut(answer, []byte(`"code":"`)); ok {
		code, _, _ := bytes.Cut(after, []byte{'"'})
		r.code = string(code)
	}
	return r
}

// submitTimeout is how long a submission may go without an answer.
const submitTimeout = 30 * time.Second

var received = []byte(`{"type":"FeedbackReceived"`)

func (o *overSocket) submit(id models.ID) error {
	o.event = fmt.Appendf(o.event[:0], `{"type":"FeedbackSubmitted","id":"%s","data":{%s}}`, id, submissionFields)
	if err := o.socket.conn.SetDeadline(time.Now().Add(submitTimeout)); err != nil {
		return err
	}
	if err := o.socket.send(string(o.event)); err != nil {
		return err
	}
	answer, err := o.socket.next()
	if err != nil {
		return err
	}
	if !bytes.HasPrefix(answer, received) || !bytes.Contains(answer, []byte(id)) {
		return refused(answer)
	}
	return nil
}

func (o *overSocket) close() error { return o.socket.conn.Close() }

// overPost is a connection that is kept for one POST after another.
type overPost struct {
	client   *fasthttp.HostClient
	request  *fasthttp.Request
	response *fasthttp.Response
	fields   string
	body     []byte
}

func (p *process) dialPost() (transport, error) { return p.dialPostOf(submissionFields), nil }

// dialLargest is for submissions as long as one can be.
func (p *process) dialLargest() (transport, error) { return p.dialPostOf(largestFields), nil }

func (p *process) dialPostOf(fields string) *overPost {
	o := &overPost{fields: fields,
		client: &fasthttp.HostClient{Addr: p.Addr, MaxConns: 1, ReadTimeout: submitTimeout, WriteTimeout: submitTimeout,
			NoDefaultUserAgentHeader: true, DisablePathNormalizing: true},
		request: fasthttp.AcquireRequest(), response: fasthttp.AcquireResponse(),
	}
	o.request.SetRequestURI("http://" + p.Addr + "/w/" + p.Key + "/feedback")
	o.request.Header.SetMethod(fasthttp.MethodPost)
	o.request.Header.SetContentType("application/json")
	return o
}

func (o *overPost) submit(id models.ID) error {
	o.body = fmt.Appendf(o.body[:0], `{"id":"%s",%s}`, id, o.fields)
	o.request.SetBodyRaw(o.body)
	if err := o.client.Do(o.request, o.response); err != nil {
		return err
	}
	if code := o.response.StatusCode(); code != fasthttp.StatusCreated && code != fasthttp.StatusOK { // OK: it was there
		return refused(o.response.Body())
	}
	return nil
}

func (o *overPost) close() error {
	fasthttp.ReleaseRequest(o.request)
	fasthttp.ReleaseResponse(o.response)
	o.client.CloseIdleConnections()
	return nil
}

// submissionFields are those of a submission of ordinary size, but its id.
const submissionFields = `"page_url":"https://shop.example/cart?step=2","message":"The total in the cart is wrong: ` +
	`it shows 38.50 but the two teas add up to 35.00.","kind":"bug","rating":2,"context":{"viewport":"1280x720"}`

// largestFields have the longest message, of the widest characters.
var largestFields = `"page_url":"https://shop.example/","message":"` + strings.Repeat("😀", models.MaxMessage) + `"`
