package collect

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
)

// AskpassVariable names, in the environment of an ssh, the socket at which its askpass
// program gets the password. ssh can be given one in no other way: its arguments and
// environment can be seen by others, and what is typed into its terminal once it is
// connected goes to the device.
const AskpassVariable = "TRUSTPOOL_ASKPASS"

// maxQuestion is how long a question of ssh may be.
const maxQuestion = 4 << 10

// Askpass is what the program does that ssh runs to ask a question: it prints the
// answer that the process at the socket gives. The question is whatever ssh says,
// which a device may have written.
func Askpass(socket, question string, stdout io.Writer) error {
	conn, err := net.Dial("unix", socket)
	if err != nil {
		return err
	}
	defer conn.Close()
	if _, err := fmt.Fprintln(conn, strings.ReplaceAll(question, "\n", " ")); err != nil {
		return err
	}
	answer, err := io.ReadAll(io.LimitReader(conn, maxQuestion))
	if err != nil {
		return err
	}
	if len(answer) == 0 {
		return fmt.Errorf("no answer to %q", question)
	}
	_, err = stdout.Write(answer)
	return err
}

// An askpass answers the questions of one ssh: once, and only one for a password.
type askpass struct {
	dir, path string
	listener  net.Listener
	done      sync.WaitGroup
}

func serveAskpass(password []byte, accept func(string) bool) (*askpass, error) {
	dir, err := os.MkdirTemp("", "trustpool-") // with mode 0700
	if err != nil {
		return nil, err
	}
	a := &askpass{dir: dir, path: filepath.Join(dir, "ask")}
	if a.listener, err = net.Listen("unix", a.path); err != nil {
		_ = os.RemoveAll(dir)
		return nil, err
	}
	a.done.Go(func() {
		for {
			conn, err := a.listener.Accept()
			if err != nil {
				return
			}
			if answer(conn, password, accept) {
				return
			}
		}
	})
	return a, nil
}

// answer answers one question, and reports whether it gave the password.
func answer(conn net.Conn, password []byte, accept func(string) bool) bool {
	defer conn.Close()
	question, err := bufio.NewReader(io.LimitReader(conn, maxQuestion)).ReadBytes('\n')
	if err != nil || !accept(string(question)) {
		return false
	}
	_, err = conn.Write(append(bytes.Clone(password), '\n'))
	return err == nil
}

func (a *askpass) close() {
	if a == nil {
		return
	}
	_ = a.listener.Close()
	_ = os.RemoveAll(a.dir)
	a.done.Wait()
}
