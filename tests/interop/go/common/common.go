// Package common holds what the programs share: the sandbox's ready line, and results as lines of JSON.
package common

import (
	"context"
	"encoding/json"
	"net"
	"net/http"
	"os"
)

// Ready is what the programs need of the sandbox's ready line.
type Ready struct {
	Apns struct {
		Authority string
		P8        string `json:"p8_file"`
		KeyID     string `json:"key_id"`
		TeamID    string `json:"team_id"`
		Topic     string
		Tokens    map[string]string
	}
	Fcm struct {
		Authority string
		Account   string `json:"service_account_file"`
		Project   string `json:"project_id"`
		Tokens    map[string]string
	}
	WebPush struct {
		Vapid struct {
			Public  string `json:"public_key"`
			Private string `json:"private_key"`
			Subject string
		}
		Subscriptions map[string]json.RawMessage
	} `json:"webpush"`
}

// Read reads the file that SANDBOX_READY names.
func Read() (ready Ready) {
	text, err := os.ReadFile(os.Getenv("SANDBOX_READY"))
	Must(err)
	Must(json.Unmarshal(text, &ready))
	return ready
}

// Must ends the program when something that is no answer of the service goes wrong.
func Must(err error) {
	if err != nil {
		panic(err)
	}
}

// Say prints what the client made of the answer to one target.
func Say(target string, ok bool, reason string) {
	Must(json.NewEncoder(os.Stdout).Encode(map[string]any{"target": target, "ok": ok, "reason": reason}))
}

// Dialing returns a transport that reaches the sandbox under Google's names, which its certificate has.
func Dialing(authority string) *http.Transport {
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.DialContext = func(ctx context.Context, network, address string) (net.Conn, error) {
		if host, _, _ := net.SplitHostPort(address); host != "localhost" {
			address = authority
		}
		return (&net.Dialer{}).DialContext(ctx, network, address)
	}
	return transport
}
