package config

import (
	"fmt"
	"strings"
	"testing"
)

func TestNATS(t *testing.T) {
	for _, good := range []string{
		"nats://nats.example.com", "nats://127.0.0.1:4222", "tls://us:sEcret@[::1]:4222", "nats://token@a:1, nats://b:65535,", "wss://nats.example.com/nats,ws://b:80",
	} {
		got := problemsWith(good, "postgres://us@db/earshot")
		if len(got) > 0 {
			t.Errorf("%s: %v", good, got)
		}
	}
	for _, wrong := range []string{
		"bad", "redis://us:sEcret@x", "http://127.0.0.1:1", "nats://us:sEcret@h:99999", "nats://h:0", "nats://", "nats://us:sEcret@:4222", "nats:h:4222", ",", "h:4222",
		"nats://a:4222,bad", "nats://a:4222,wss://b", "nats://us:sE/sEcret@h:4222", "nats://us:1/sEcret@h:4222", "nats://us:1#sEcret@h:4222", "nats://us:1?sEcret@h:4222",
		"nats://us:sEcret%zz@h:4222",
	} {
		got := problemsWith(wrong, "postgres://us@db/earshot")
		text := fmt.Sprint(got)
		if len(got) != 1 || !strings.Contains(text, "EARSHOT_NATS_URL: must be ") || strings.Contains(text, "sEcret") {
			t.Errorf("%s: %v, want one problem that says what an address looks like", wrong, got)
		}
	}
	if got := fmt.Sprint(problemsWith("bad", "")); !strings.Contains(got, "nats://user:password@") || !strings.Contains(got, "needs EARSHOT_DATABASE_URL") {
		t.Errorf("without a database: %v", got)
	}
}

// problemsWith are those of a server that is well otherwise.
func problemsWith(nats, database string) []error {
	_, problems := Settings{
		Addr: ":8080", Data: "data", Secret: strings.Repeat("secret", 6), Signup: "closed", Limits: "on", LogLevel: "info", Drain: "10s",
		NATSURL: nats, DatabaseURL: database,
	}.Check()
	return problems
}
