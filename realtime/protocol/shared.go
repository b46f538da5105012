package protocol

import "earshot/models"

// Ping asks for a Pong. It proves that both directions work where a TCP
// connection only seems open.
type Ping struct{}

// Pong answers Ping.
type Pong struct{}

// GoingAway announces that this server closes the socket; the client comes back
// after a random part of RetryAfterMS.
type GoingAway struct {
	RetryAfterMS int64 `json:"retry_after_ms" doc:"Milliseconds" minimum:"0"`
}

// Error says that an event was refused; the envelope's re names it where it had
// an id. The socket stays open.
type Error struct {
	Code         models.Code         `json:"code"`
	Message      string              `json:"message"`
	Errors       []models.FieldError `json:"errors,omitempty" doc:"The fields that are not valid"`
	RetryAfterMS int64               `json:"retry_after_ms,omitempty" doc:"Milliseconds" minimum:"0"`
}

func (Ping) visitorClientEvent() string        { return "Ping" }
func (Ping) dashboardClientEvent() string      { return "Ping" }
func (Pong) visitorServerEvent() string        { return "Pong" }
func (Pong) dashboardServerEvent() string      { return "Pong" }
func (GoingAway) visitorServerEvent() string   { return "GoingAway" }
func (GoingAway) dashboardServerEvent() string { return "GoingAway" }
func (Error) visitorServerEvent() string       { return "Error" }
func (Error) dashboardServerEvent() string     { return "Error" }
