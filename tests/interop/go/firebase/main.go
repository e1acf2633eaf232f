// firebase-admin for Go sends to the sandbox: one message, and a batch.
package main

import (
	"context"
	"net/http"
	"os"

	firebase "firebase.google.com/go/v4"
	"firebase.google.com/go/v4/messaging"
	"golang.org/x/oauth2"
	"golang.org/x/oauth2/google"
	"google.golang.org/api/option"
	"pushcore.test/interop/common"
)

func main() {
	ready := common.Read().Fcm
	plain := &http.Client{Transport: common.Dialing(ready.Authority)}
	ctx := context.WithValue(context.Background(), oauth2.HTTPClient, plain)
	file, err := os.ReadFile(ready.Account)
	common.Must(err)
	// The file as the sandbox wrote it, its token_uri included.
	account, err := google.JWTConfigFromJSON(file, "https://www.googleapis.com/auth/firebase.messaging")
	common.Must(err)
	app, err := firebase.NewApp(ctx, &firebase.Config{ProjectID: ready.Project}, option.WithHTTPClient(account.Client(ctx)))
	common.Must(err)
	client, err := app.Messaging(ctx)
	common.Must(err)
	message := func(name string) *messaging.Message {
		return &messaging.Message{
			Token:        ready.Tokens[name],
			Notification: &messaging.Notification{Title: "hello", Body: "world"},
			APNS:         &messaging.APNSConfig{Payload: &messaging.APNSPayload{Aps: &messaging.Aps{Sound: "default"}}},
		}
	}
	said := func(name string, err error) {
		reason := ""
		switch {
		case messaging.IsUnregistered(err):
			reason = "UNREGISTERED"
		case messaging.IsInvalidArgument(err):
			reason = "INVALID_ARGUMENT"
		case err != nil:
			reason = err.Error()
		}
		common.Say(name, err == nil, reason)
	}
	_, err = client.Send(ctx, message("valid"))
	said("valid", err)
	names := []string{"unregistered", "malformed"}
	for range 50 {
		names = append(names, "valid_2")
	}
	var messages []*messaging.Message
	for _, name := range names {
		messages = append(messages, message(name))
	}
	batch, err := client.SendEach(ctx, messages)
	common.Must(err)
	for i, answer := range batch.Responses {
		said(names[i], answer.Error)
	}
}
