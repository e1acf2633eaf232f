// apns2_send PORT CA KEY SECONDS IN_FLIGHT BODY sends the file BODY with sideshow/apns2 for SECONDS, from IN_FLIGHT goroutines.
package main

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net/http"
	"os"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/sideshow/apns2"
	"github.com/sideshow/apns2/token"
	"golang.org/x/net/http2"
)

func must(err error) {
	if err != nil {
		panic(err)
	}
}

func main() {
	port, ca, file := os.Args[1], os.Args[2], os.Args[3]
	seconds, err := strconv.ParseFloat(os.Args[4], 64)
	must(err)
	inFlight, err := strconv.Atoi(os.Args[5])
	must(err)
	body, err := os.ReadFile(os.Args[6])
	must(err)
	key, err := token.AuthKeyFromFile(file)
	must(err)
	client := apns2.NewTokenClient(&token.Token{AuthKey: key, KeyID: "ABCDE12345", TeamID: "TEAMID1234"})
	client.Host = "https://localhost:" + port
	// Trust alone is changed: the transport is the library's own.
	roots := x509.NewCertPool()
	pem, err := os.ReadFile(ca)
	must(err)
	roots.AppendCertsFromPEM(pem)
	switch transport := client.HTTPClient.Transport.(type) {
	case *http2.Transport:
		transport.TLSClientConfig = &tls.Config{RootCAs: roots}
	case *http.Transport:
		transport.TLSClientConfig = &tls.Config{RootCAs: roots}
	default:
		panic(fmt.Sprintf("%T", transport))
	}
	var next, accepted atomic.Int64
	var all sync.WaitGroup
	started := time.Now()
	end := started.Add(time.Duration(seconds * float64(time.Second)))
	for range inFlight {
		all.Add(1)
		go func() {
			defer all.Done()
			for time.Now().Before(end) {
				answer, err := client.Push(&apns2.Notification{
					DeviceToken: fmt.Sprintf("%064x", next.Add(1)), Topic: "com.example.app",
					PushType: apns2.PushTypeAlert, Payload: body,
				})
				must(err)
				if answer.Sent() && time.Now().Before(end) {
					accepted.Add(1)
				}
			}
		}()
	}
	all.Wait()
	fmt.Printf("sent=%d per_second=%.0f\n", accepted.Load(), float64(accepted.Load())/seconds)
}
