// An HTTP/2 server of Go's standard library that answers every push, and says goodbye to a connection (GOAWAY,
// NO_ERROR) after so many requests on it: server CERTIFICATE KEY EVERY. Prints its port, then each path it served.
package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strconv"
	"sync"
	"sync/atomic"
)

type counter struct{}

func main() {
	every, err := strconv.Atoi(os.Args[3])
	if err != nil {
		panic(err)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	out, lock := bufio.NewWriter(os.Stdout), sync.Mutex{}
	say := func(text string) {
		lock.Lock()
		defer lock.Unlock()
		fmt.Fprintln(out, text)
		out.Flush()
	}
	say(strconv.Itoa(listener.Addr().(*net.TCPAddr).Port))
	server := http.Server{
		ConnContext: func(ctx context.Context, _ net.Conn) context.Context {
			return context.WithValue(ctx, counter{}, new(atomic.Int64))
		},
		Handler: http.HandlerFunc(func(answer http.ResponseWriter, request *http.Request) {
			io.Copy(io.Discard, request.Body)
			say(request.URL.Path)
			served := request.Context().Value(counter{}).(*atomic.Int64).Add(1)
			if every > 0 && served >= int64(every) {
				// net/http sends GOAWAY with NO_ERROR for this, and ends the connection when its streams have.
				answer.Header().Set("connection", "close")
			}
			answer.WriteHeader(200)
		}),
	}
	panic(server.ServeTLS(listener, os.Args[1], os.Args[2]))
}
