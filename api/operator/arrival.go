package operator

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"strconv"
	"strings"
	"time"

	"earshot/models"
)

// ArrivalPath is where a server says how a request of the doctor's arrived at it.
const ArrivalPath = "/api/v1/doctor"

// Arrival is what a request looked like when it had come through everything that is
// in front of the server.
type Arrival struct {
	Version string    `json:"version"`
	Commit  string    `json:"commit"`
	At      time.Time `json:"at"`
	// Upgrade: what asks for a WebSocket arrived.
	Upgrade bool `json:"upgrade"`
	// Peer is who connected to the server, Trusted whether it believes what that says
	// of others, Forwarded what it said.
	Peer      string   `json:"peer"`
	Trusted   bool     `json:"trusted"`
	Forwarded []string `json:"forwarded"`
	// Address is what the server takes for the client's.
	Address string `json:"address"`
}

const (
	arrivalUse = "earshot doctor"
	// arrivalPatience is how far the two clocks may be apart.
	arrivalPatience = 10 * time.Minute
)

// ArrivalToken is what the doctor shows: whoever knows the server's secret can make
// one, for some minutes.
func ArrivalToken(secret []byte, now time.Time) (string, error) {
	key, err := models.DeriveKey(secret, arrivalUse)
	if err != nil {
		return "", err
	}
	at := strconv.FormatInt(now.Unix(), 10)
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte(at))
	return at + "." + hex.EncodeToString(mac.Sum(nil)), nil
}

// ValidArrivalToken reports whether a token was made with the secret, not long ago.
func ValidArrivalToken(secret []byte, token string, now time.Time) bool {
	at, _, _ := strings.Cut(token, ".")
	seconds, err := strconv.ParseInt(at, 10, 64)
	if err != nil || now.Sub(time.Unix(seconds, 0)).Abs() > arrivalPatience {
		return false
	}
	want, err := ArrivalToken(secret, time.Unix(seconds, 0))
	return err == nil && hmac.Equal([]byte(want), []byte(token))
}
