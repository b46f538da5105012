package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
)

func login(ctx context.Context, addr string) (string, error) {
	body, err := json.Marshal(map[string]string{"email": email, "password": password})
	if err != nil {
		return "", err
	}
	var answer struct {
		AccessToken string `json:"access_token"`
	}
	err = call(ctx, http.MethodPost, "http://"+addr+"/api/v1/auth/login", "", body, &answer)
	return answer.AccessToken, err
}

// stored counts the feedback that the server has, by its own list.
func (p *process) stored(ctx context.Context) (int64, error) {
	var answer struct {
		Total int64 `json:"total"`
	}
	url := fmt.Sprintf("http://%s/api/v1/projects/%s/feedback?limit=1&count=exact", p.Addr, p.Project)
	err := call(ctx, http.MethodGet, url, p.Token, nil, &answer)
	return answer.Total, err
}

func call(ctx context.Context, method, url, token string, body []byte, into any) error {
	request, err := http.NewRequestWithContext(ctx, method, url, bytes.NewReader(body))
	if err != nil {
		return err
	}
	request.Header.Set("Content-Type", "application/json")
	if token != "" {
		request.Header.Set("Authorization", "Bearer "+token)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	defer func() { _ = response.Body.Close() }()
	raw, err := io.ReadAll(response.Body)
	if err != nil {
		return err
	}
	if response.StatusCode >= http.StatusMultipleChoices {
		return fmt.Errorf("%s %s answered %s: %s", method, request.URL.Path, response.Status, raw)
	}
	return json.Unmarshal(raw, into)
}
