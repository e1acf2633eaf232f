// SherClockHolmes/webpush-go sends to the sandbox.
package main

import (
	"encoding/json"
	"strconv"
	"strings"

	webpush "github.com/SherClockHolmes/webpush-go"
	"pushcore.test/interop/common"
)

func main() {
	ready := common.Read().WebPush
	for _, name := range []string{"active", "expired", "throttled"} {
		var subscription webpush.Subscription
		common.Must(json.Unmarshal(ready.Subscriptions[name], &subscription))
		answer, err := webpush.SendNotification([]byte(`{"title": "hello"}`), &subscription, &webpush.Options{
			Subscriber: strings.TrimPrefix(ready.Vapid.Subject, "mailto:"), TTL: 60, Urgency: webpush.UrgencyHigh,
			VAPIDPublicKey: ready.Vapid.Public, VAPIDPrivateKey: ready.Vapid.Private,
		})
		common.Must(err)
		common.Say(name, answer.StatusCode == 201, strconv.Itoa(answer.StatusCode))
	}
}
