package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"strings"
	"time"
)

// eslServed is the node's side of one connection of an event socket.
type eslServed struct {
	r *bufio.Reader
	w *bufio.Writer // errors stick to it, and Flush tells them
}

const eslServedBuffer = 256 << 10 // bytes to write at once

// serveEsl listens on a free loopback port, says which on standard output, and serves each connection until standard input
// ends.
func serveEsl(serve func(*eslServed) error) error {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		_ = l.Close()
	}()
	fmt.Println(l.Addr())
	for {
		nc, err := l.Accept()
		if errors.Is(err, net.ErrClosed) {
			return nil
		}
		if err != nil {
			return err
		}
		go func() {
			defer nc.Close()
			// What the client did not want to the end it does not complain of.
			_ = serve(&eslServed{r: bufio.NewReader(nc), w: bufio.NewWriterSize(nc, eslServedBuffer)})
		}()
	}
}

// serve lets the client in and gives each further command, as its lines, to answer.
func (s *eslServed) serve(answer func(command []string) error) error {
	s.write([]byte("Content-Type: auth/request\n\n"))
	for {
		if s.r.Buffered() == 0 {
			if err := s.w.Flush(); err != nil {
				return err
			}
		}
		command, err := s.command()
		if err != nil {
			return err
		}
		if strings.HasPrefix(command[0], "auth ") {
			s.reply("+OK accepted")
		} else if err := answer(command); err != nil {
			return err
		}
	}
}

// command reads one command up to its empty line.
func (s *eslServed) command() (lines []string, err error) {
	for {
		line, err := s.r.ReadString('\n')
		if err != nil {
			return nil, err
		}
		line = strings.TrimRight(line, "\r\n")
		switch {
		case line != "":
			lines = append(lines, line)
		case len(lines) > 0:
			return lines, nil
		}
	}
}

func (s *eslServed) write(wire []byte) { _, _ = s.w.Write(wire) }

func (s *eslServed) reply(text string) {
	_, _ = fmt.Fprintf(s.w, "Content-Type: command/reply\nReply-Text: %s\n\n", text)
}

func (s *eslServed) response(body string) {
	_, _ = fmt.Fprintf(s.w, "Content-Type: api/response\nContent-Length: %d\n\n%s", len(body), body)
}

// eslField is a header of a command, or "".
func eslField(command []string, name string) string {
	for _, line := range command[1:] {
		if value, ok := strings.CutPrefix(line, name+": "); ok {
			return value
		}
	}
	return ""
}

// eslChild is a node that runs as a process of its own.
type eslChild struct {
	address string
	cmd     *exec.Cmd
	stdin   io.Closer
}

// eslChildStop bounds the end of a child.
const eslChildStop = 5 * time.Second

// startEslChild starts one of the hidden subcommands and waits for its address.
func startEslChild(ctx context.Context, arguments ...string) (*eslChild, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	c := &eslChild{cmd: exec.CommandContext(ctx, self, append([]string{"bench", "esl"}, arguments...)...)}
	c.cmd.Stderr, c.cmd.WaitDelay = os.Stderr, eslChildStop
	out, err := c.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if c.stdin, err = c.cmd.StdinPipe(); err != nil {
		return nil, err
	}
	if err := c.cmd.Start(); err != nil {
		return nil, err
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		return nil, errors.Join(fmt.Errorf("the media node did not start: %w", err), c.stop())
	}
	c.address = strings.TrimSpace(line)
	return c, nil
}

func (c *eslChild) stop() error {
	_ = c.stdin.Close()
	return c.cmd.Wait()
}
