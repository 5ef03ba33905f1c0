// Command image is all that the images of a real node hold.
//
//	image             waits for a signal (the sandbox of every pod, and a container that does nothing)
//	image serve PORT  answers every HTTP request with 200 and the container's host name
//	image exit CODE   ends with this code
package main

import (
	"fmt"
	"net/http"
	"os"
	"os/signal"
	"strconv"
	"syscall"
)

func main() {
	arguments := append(os.Args[1:], "", "")
	switch arguments[0] {
	case "serve":
		go serve(arguments[1])
	case "exit":
		code, err := strconv.Atoi(arguments[1])
		if err != nil {
			code = 2
		}
		os.Exit(code)
	}
	ended := make(chan os.Signal, 1)
	signal.Notify(ended, syscall.SIGINT, syscall.SIGTERM)
	<-ended
}

func serve(port string) {
	host, _ := os.Hostname()
	answer := func(out http.ResponseWriter, in *http.Request) { fmt.Fprintln(out, host, in.URL.Path) }
	if err := http.ListenAndServe(":"+port, http.HandlerFunc(answer)); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
