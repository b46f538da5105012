package operator

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"time"

	"earshot/models"
)

// healthTimeout is shorter than that of the container's health check.
const healthTimeout = 4 * time.Second

// Health is the command "health": it asks the server that listens on an address of
// this machine whether it takes work, for who has no curl.
func Health(ctx context.Context, addr string, out io.Writer) error {
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		return err
	}
	if ip := net.ParseIP(host); host == "" || ip != nil && ip.IsUnspecified() {
		host = "127.0.0.1"
	}
	ctx, cancel := context.WithTimeout(ctx, healthTimeout)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+net.JoinHostPort(host, port)+"/readyz", nil)
	if err != nil {
		return err
	}
	transport := &http.Transport{DisableKeepAlives: true} // and no proxy of the environment's
	answer, err := (&http.Client{Transport: transport}).Do(request)
	if err != nil {
		return fmt.Errorf("the server on %s does not answer: %w", addr, errors.Unwrap(err))
	}
	defer func() { _ = answer.Body.Close() }()
	if answer.StatusCode == http.StatusOK {
		_, err := fmt.Fprintln(out, "ready")
		return err
	}
	var problem struct {
		Errors []models.FieldError `json:"errors"`
	}
	if err := json.NewDecoder(io.LimitReader(answer.Body, 64<<10)).Decode(&problem); err != nil {
		return fmt.Errorf("the server on %s is not ready: %s", addr, answer.Status)
	}
	return fmt.Errorf("the server on %s is not ready: %w", addr, &models.Error{Fields: problem.Errors})
}
