// Devices starts devices that replay, for a demo or to try a client, and runs
// until it is interrupted:
//
//	go run ./internal/devicetest/devices [-n 30] [-describe FILE] [-dir DIR]
//
// DIR then has ssh_config, devices.csv, addresses.csv, known_hosts, id_ed25519, and for each
// device NAME.sent with what it was sent. FILE describes the devices as a JSON
// list of devicetest.Device. When all run, their directory is printed.
package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"trustpool/internal/devicetest"
)

func main() {
	n := flag.Int("n", 30, "start `N` devices of the demo")
	describe := flag.String("describe", "", "start the devices that the JSON in `FILE` describes")
	dir := flag.String("dir", "", "put what clients need into `DIR` (default a temporary directory)")
	flag.Parse()
	if err := run(*n, *describe, *dir); err != nil {
		fmt.Fprintln(os.Stderr, "devices:", err)
		os.Exit(1)
	}
}

func run(n int, describe, dir string) error {
	devices := devicetest.Demo(n)
	if describe != "" {
		text, err := os.ReadFile(describe)
		if err != nil {
			return err
		}
		devices = nil
		if err := json.Unmarshal(text, &devices); err != nil {
			return fmt.Errorf("%s: %w", describe, err)
		}
	}
	if dir == "" {
		temp, err := os.MkdirTemp("", "devices")
		if err != nil {
			return err
		}
		defer os.RemoveAll(temp)
		dir = temp
	} else if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	end := make(chan os.Signal, 1)
	signal.Notify(end, os.Interrupt, syscall.SIGTERM)
	lab, err := devicetest.New(dir, devices...)
	if err != nil {
		return err
	}
	defer lab.Close()
	fmt.Println(lab.Dir)
	<-end
	return nil
}
