package fstest

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"strconv"
	"strings"
)

// command is what a client sent: a line, headers, and perhaps a body.
type command struct {
	line   string
	fields []field
	body   string
}

func (c *command) get(name string) string {
	for _, f := range c.fields {
		if strings.EqualFold(f.name, name) {
			return f.value
		}
	}
	return ""
}

var errCommandTooLong = errors.New("fstest: event-socket command beyond its bounds")

// readCommand reads one command up to its empty line. An empty command is nil.
func readCommand(reader *bufio.Reader) (*command, error) {
	var c command
	for lines := 0; ; lines++ {
		raw, err := reader.ReadSlice('\n')
		if err != nil {
			return nil, err
		}
		line := string(bytes.TrimRight(raw, "\r\n"))
		switch {
		case lines > maxCommandHeaders:
			return nil, errCommandTooLong
		case line == "" && c.line == "":
			return nil, nil
		case line == "":
			return &c, c.readBody(reader)
		case c.line == "":
			c.line = line
		default:
			if name, value, ok := strings.Cut(line, ":"); ok {
				c.fields = append(c.fields, field{strings.TrimSpace(name), strings.TrimLeft(value, " ")})
			}
		}
	}
}

// readBody reads the body that a Content-Length header promises.
func (c *command) readBody(reader *bufio.Reader) error {
	length := c.get("Content-Length")
	if length == "" {
		return nil
	}
	n, err := strconv.Atoi(strings.TrimSpace(length))
	if err != nil || n < 0 || n > maxCommandBody {
		return errCommandTooLong
	}
	body := make([]byte, n)
	if _, err := io.ReadFull(reader, body); err != nil {
		return err
	}
	c.body = string(body)
	return nil
}
