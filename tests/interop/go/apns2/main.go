// sideshow/apns2 sends to the sandbox.
package main

import (
	"sync"

	"github.com/sideshow/apns2"
	"github.com/sideshow/apns2/payload"
	"github.com/sideshow/apns2/token"
	"pushcore.test/interop/common"
)

func main() {
	ready := common.Read().Apns
	key, err := token.AuthKeyFromFile(ready.P8)
	common.Must(err)
	client := apns2.NewTokenClient(&token.Token{AuthKey: key, KeyID: ready.KeyID, TeamID: ready.TeamID})
	client.Host = "https://" + ready.Authority
	send := func(name string) {
		answer, err := client.Push(&apns2.Notification{
			DeviceToken: ready.Tokens[name], Topic: ready.Topic, PushType: apns2.PushTypeAlert,
			Payload: payload.NewPayload().Alert("hello"),
		})
		common.Must(err)
		common.Say(name, answer.Sent(), answer.Reason)
	}
	for _, name := range []string{"valid", "unregistered", "unknown"} {
		send(name)
	}
	var many sync.WaitGroup
	for range 50 {
		many.Add(1)
		go func() { defer many.Done(); send("valid_2") }()
	}
	many.Wait()
}
