package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"text/tabwriter"
	"time"

	"tandem/callflows"
)

// client asks a worker's API, for the commands of operators.
type client struct {
	API  string `name:"api" env:"TANDEM_API" default:"http://127.0.0.1:8080" help:"API of any worker."`
	Key  string `name:"key" env:"TANDEM_API_KEY" help:"API key; without one, that of this machine's own worker, if its state folder is named."`
	JSON bool   `name:"json" help:"Print what the API answers, for scripts."`

	StateDir string `name:"state-dir" env:"TANDEM_STATE_DIR" hidden:"" type:"path"`
}

// secret is the key to ask with; empty: there is none.
func (c client) secret() string {
	if c.Key != "" || c.StateDir == "" {
		return c.Key
	}
	text, err := os.ReadFile(filepath.Join(c.StateDir, operatorKeyFile))
	if err != nil {
		return "" // of another worker, or of an older one: the answer says that a key is needed
	}
	return strings.TrimSpace(string(text))
}

// askWait bounds one request; the API itself answers sooner.
const askWait = 30 * time.Second

// maxAnswer bounds an answer that is read, in bytes.
const maxAnswer = 64 << 20

// refusal is an answer that says no (RFC 9457).
type refusal struct {
	Status int    `json:"status"`
	Code   string `json:"code"`
	Detail string `json:"detail"`
	// Faults are all that is wrong, when more than one thing may be.
	Faults []callflows.FlowFault `json:"faults"`
}

func (r *refusal) Error() string {
	text := fmt.Sprintf("%s (%s)", r.Detail, r.Code)
	for _, f := range r.Faults {
		text += "\n  " + plain(f.Path) + ": " + plain(f.Detail+" "+f.Mend)
	}
	return text
}

// ask sends a request and reads the answer: into a value, or onto the terminal as it is when JSON was asked for, which done says.
func (c client) ask(ctx context.Context, method, path string, body, into any) (status int, done bool, err error) {
	return c.askIf(ctx, method, path, body, into, "", "")
}

// askIf is ask with a precondition in a header.
func (c client) askIf(ctx context.Context, method, path string, body, into any, header, value string) (status int, done bool, err error) {
	sent, err := json.Marshal(body)
	if err != nil {
		return 0, false, err
	}
	return c.send(ctx, method, path, "application/json", sent, into, header, value)
}

// send sends a body as it is, and reads the answer as ask does.
func (c client) send(ctx context.Context, method, path, contentType string, sent []byte, into any, header, value string) (status int, done bool, err error) {
	ctx, cancel := context.WithTimeout(ctx, askWait)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, method, strings.TrimSuffix(c.API, "/")+path, bytes.NewReader(sent))
	if err != nil {
		return 0, false, fmt.Errorf("--api: %w", err)
	}
	request.Header.Set("Content-Type", contentType)
	if secret := c.secret(); secret != "" {
		request.Header.Set("Authorization", "Bearer "+secret)
	}
	if header != "" {
		request.Header.Set(header, value)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return 0, false, fmt.Errorf("no worker answers at %s (name one with --api or TANDEM_API): %w", c.API, err)
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(response.Body, maxAnswer))
	if err != nil {
		return 0, false, err
	}
	if response.StatusCode >= http.StatusBadRequest {
		no := &refusal{}
		if json.Unmarshal(answer, no) != nil || no.Code == "" {
			return response.StatusCode, false, fmt.Errorf("%s answers %s", c.API, response.Status)
		}
		if c.JSON {
			_, _ = os.Stdout.Write(append(answer, '\n'))
		}
		return response.StatusCode, false, no
	}
	if len(answer) == 0 {
		return response.StatusCode, c.JSON, nil
	}
	if c.JSON {
		var pretty bytes.Buffer
		if err := json.Indent(&pretty, answer, "", "  "); err != nil {
			return 0, false, err
		}
		_, err := fmt.Println(pretty.String())
		return response.StatusCode, true, err
	}
	return response.StatusCode, false, json.Unmarshal(answer, into)
}

// table prints rows in columns. Texts of phones are in them: what could move a terminal's cursor is shown as "?".
func table(head string, rows [][]string) error {
	out := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(out, strings.Join(strings.Fields(head), "\t"))
	for _, row := range rows {
		for i := range row {
			row[i] = plain(row[i])
		}
		fmt.Fprintln(out, strings.Join(row, "\t"))
	}
	return out.Flush()
}

// plain makes a text fit for one cell of a terminal.
func plain(text string) string {
	if text == "" {
		return "-"
	}
	return strings.Map(func(r rune) rune {
		if r < ' ' || r >= 0x7f && r < 0xa0 || r == '\u2028' || r == '\u2029' || r >= 0x202a && r <= 0x202e || r >= 0x2066 && r <= 0x2069 {
			return '?'
		}
		return r
	}, text)
}

// age is how long ago a moment was, in words for a table.
func age(t *time.Time) string {
	if t == nil {
		return "-"
	}
	return max(0, time.Since(*t)).Round(time.Second).String()
}

// tell asks for what is answered with nothing.
func (c client) tell(ctx context.Context, method, path string, body any) error {
	c.JSON = false
	var nothing json.RawMessage
	_, _, err := c.ask(ctx, method, path, body, &nothing)
	return err
}
