package cli

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"time"
)

// healthTimeout is how long a server on the same machine has to say that it is ready.
const healthTimeout = 5 * time.Second

// healthcheck asks /readyz of the server that listens at the first of the addresses:
// an image of the program alone has no other client.
func (a *app) healthcheck(listen []string) error {
	address := defaultListen
	if len(listen) > 0 {
		address = listen[0]
	}
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return fmt.Errorf("--listen %s: %w", address, err)
	}
	if ip := net.ParseIP(host); host == "" || ip.IsUnspecified() {
		host = "localhost"
	}
	client := http.Client{Timeout: healthTimeout}
	answer, err := client.Get("http://" + net.JoinHostPort(host, port) + "/readyz")
	if err != nil {
		return fmt.Errorf("no server answers: %w", err)
	}
	defer answer.Body.Close()
	_, err = io.Copy(a.env.Stdout, io.LimitReader(answer.Body, 64<<10))
	if err == nil && answer.StatusCode != http.StatusOK {
		err = errNo
	}
	return err
}
