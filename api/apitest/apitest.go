// Package apitest runs a real Earshot for tests: its own data, a port of its
// own, and clients that speak to it as anybody would.
package apitest

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"earshot/api"
	"earshot/models"
	"earshot/models/store"
	"earshot/models/store/storetest"
)

// Password is what Owner signs in with.
const Password = "correct horse battery staple"

// Option changes the configuration before the server starts.
type Option func(*api.Config)

// Server is a running Earshot.
type Server struct {
	*api.Server
	// URL is its address, and its base URL unless an Option set another.
	URL string
	// Address is host and port.
	Address string
	// Database is the file or the address of its database.
	Database string
}

// Start runs a server until the test ends.
func Start(t testing.TB, options ...Option) *Server {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := listener.Addr().String()
	config := api.Config{
		DataDir: t.TempDir(), BaseURL: "http://" + address, Secret: []byte("0123456789abcdef0123456789abcdef"),
		Version: "test", Log: slog.New(slog.NewTextHandler(io.Discard, nil)), Drain: 5 * time.Second,
	}
	if path := storetest.Database(t); store.IsPostgres(path) {
		config.Database = path
	} else {
		config.DataDir = filepath.Dir(path)
	}
	for _, option := range options {
		option(&config)
	}
	server, err := api.New(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()
	t.Cleanup(func() {
		http.DefaultClient.CloseIdleConnections()
		if err := server.Shutdown(context.WithoutCancel(t.Context())); err != nil {
			t.Errorf("shut down: %v", err)
		}
		if err := <-served; err != nil {
			t.Errorf("serve: %v", err)
		}
	})
	return &Server{Server: server, URL: "http://" + address, Address: address, Database: server.DatabasePath()}
}

// Client speaks to the server, with an access token where it has one.
type Client struct {
	URL   string
	Token string
	// Refresh is the refresh cookie's value.
	Refresh string
	t       testing.TB
	http    *http.Client
}

// Client is one without a token.
func (s *Server) Client(t testing.TB) *Client {
	t.Helper()
	return &Client{URL: s.URL, t: t, http: &http.Client{Timeout: time.Minute, CheckRedirect: func(*http.Request, []*http.Request) error {
		return http.ErrUseLastResponse
	}}}
}

// Response is an answer, read to its end.
type Response struct {
	Status int
	Header http.Header
	Body   []byte
	t      testing.TB
}

// JSON decodes the body into value.
func (r *Response) JSON(value any) {
	r.t.Helper()
	if err := json.Unmarshal(r.Body, value); err != nil {
		r.t.Fatalf("body is not the JSON that was expected: %v\n%s", err, r.Body)
	}
}

// Problem is the body of a refusal.
func (r *Response) Problem() api.Problem {
	r.t.Helper()
	var p api.Problem
	r.JSON(&p)
	return p
}

// Want fails the test unless the answer has the status.
func (r *Response) Want(status int) *Response {
	r.t.Helper()
	if r.Status != status {
		r.t.Fatalf("status = %d, want %d\n%s", r.Status, status, r.Body)
	}
	return r
}

// Cookie finds a cookie that the answer sets; nil if it does not.
func (r *Response) Cookie(name string) *http.Cookie {
	for _, cookie := range (&http.Response{Header: r.Header}).Cookies() {
		if cookie.Name == name {
			return cookie
		}
	}
	return nil
}

// Do makes a request. body may be nil, a string or []byte as it is, an
// io.Reader, or anything that is sent as JSON. headers are name, value pairs; an
// empty value leaves a default header out.
func (c *Client) Do(method, path string, body any, headers ...string) *Response {
	c.t.Helper()
	reader, kind := encode(c.t, body)
	request, err := http.NewRequestWithContext(c.t.Context(), method, c.URL+path, reader)
	if err != nil {
		c.t.Fatal(err)
	}
	if kind != "" {
		request.Header.Set("Content-Type", kind)
	}
	if c.Token != "" {
		request.Header.Set("Authorization", "Bearer "+c.Token)
	}
	for i := 0; i+1 < len(headers); i += 2 {
		switch name, value := headers[i], headers[i+1]; {
		case value == "":
			request.Header.Del(name)
		case strings.EqualFold(name, "Host"):
			request.Host = value
		default:
			request.Header.Set(name, value)
		}
	}
	answer, err := c.http.Do(request)
	if err != nil {
		c.t.Fatalf("%s %s: %v", method, path, err)
	}
	defer func() { _ = answer.Body.Close() }()
	raw, err := io.ReadAll(answer.Body)
	if err != nil {
		c.t.Fatalf("%s %s: read the answer: %v", method, path, err)
	}
	return &Response{Status: answer.StatusCode, Header: answer.Header, Body: raw, t: c.t}
}

func encode(t testing.TB, body any) (io.Reader, string) {
	t.Helper()
	const kind = "application/json"
	switch body := body.(type) {
	case nil:
		return nil, ""
	case string:
		return strings.NewReader(body), kind
	case []byte:
		return bytes.NewReader(body), kind
	case io.Reader:
		return body, kind
	}
	raw, err := json.Marshal(body)
	if err != nil {
		t.Fatal(err)
	}
	return bytes.NewReader(raw), kind
}

// Get is Do with the answer's status checked, like Post, Patch and Delete.
func (c *Client) Get(path string, status int) *Response {
	c.t.Helper()
	return c.Do(http.MethodGet, path, nil).Want(status)
}

// Post sends body as JSON.
func (c *Client) Post(path string, body any, status int) *Response {
	c.t.Helper()
	return c.Do(http.MethodPost, path, body).Want(status)
}

// Patch sends body as JSON.
func (c *Client) Patch(path string, body any, status int) *Response {
	c.t.Helper()
	return c.Do(http.MethodPatch, path, body).Want(status)
}

// Delete expects 204.
func (c *Client) Delete(path string) *Response {
	c.t.Helper()
	return c.Do(http.MethodDelete, path, nil).Want(http.StatusNoContent)
}

func (c *Client) enter(r *Response) *Client {
	c.t.Helper()
	var token api.AccessToken
	r.JSON(&token)
	c.Token = token.AccessToken
	if cookie := r.Cookie("earshot_refresh"); cookie != nil {
		c.Refresh = cookie.Value
	}
	return c
}

// Login signs in.
func (s *Server) Login(t testing.TB, email, password string) *Client {
	t.Helper()
	c := s.Client(t)
	return c.enter(c.Post("/api/v1/auth/login", map[string]string{"email": email, "password": password}, http.StatusOK))
}

// OwnerEmail is the first owner's address.
const OwnerEmail = "owner@example.com"

// Owner makes the first owner at the first call, and signs in.
func (s *Server) Owner(t testing.TB) *Client {
	t.Helper()
	link, err := s.SetupURL(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if link == "" {
		return s.Login(t, OwnerEmail, Password)
	}
	parsed, err := url.Parse(link)
	if err != nil {
		t.Fatal(err)
	}
	token := strings.TrimPrefix(parsed.Fragment, "token=")
	c := s.Client(t)
	return c.enter(c.Post("/api/v1/setup", map[string]string{
		"token": token, "email": OwnerEmail, "password": Password, "name": "Olga Owner", "organization": "Shop",
	}, http.StatusCreated))
}

// Project makes a project of the client's.
func (c *Client) Project(origins ...string) api.Project {
	c.t.Helper()
	var project api.Project
	c.Post("/api/v1/projects", map[string]any{"name": "Web", "allowed_origins": append([]string{}, origins...)}, http.StatusCreated).JSON(&project)
	return project
}

// Project makes a project of the first owner's.
func (s *Server) Project(t testing.TB, origins ...string) (*Client, api.Project) {
	t.Helper()
	owner := s.Owner(t)
	return owner, owner.Project(origins...)
}

// Submit sends feedback as a visitor does, and expects it to be new.
func (s *Server) Submit(t testing.TB, project api.Project, message string) api.Receipt {
	t.Helper()
	var receipt api.Receipt
	s.Client(t).Post("/w/"+project.Key+"/feedback", map[string]any{
		"id": models.NewID(), "page_url": "https://shop.example/cart", "message": message,
	}, http.StatusCreated).JSON(&receipt)
	return receipt
}

// Unlimited lifts the limits of rate.
func Unlimited(c *api.Config) { c.Unlimited = true }

// SignupOpen lets anybody make an organisation.
func SignupOpen(c *api.Config) { c.SignupOpen = true }
