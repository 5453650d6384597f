package main

import (
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	rest "tandem/provisioning/client"
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

// api asks the API as this command does.
func (c client) api() *rest.Client {
	return &rest.Client{Server: c.API, Key: c.secret(), Wait: askWait}
}

// told looks at what an operation answered. done says that the command has no more to tell: it was refused, or what was answered was asked for as it is,
// and is printed.
func told[T any](c client, a *rest.Answer[T], err error) (done bool, _ error) {
	if err != nil {
		return true, c.refused(err)
	}
	if !c.JSON || len(a.Raw) == 0 {
		return c.JSON, nil
	}
	return true, printJSON(a.Raw)
}

// refused says what an error of the API's client means to whoever sits at the terminal.
func (c client) refused(err error) error {
	if no := rest.Refused(err); no != nil {
		if c.JSON {
			_, _ = os.Stdout.Write(append(no.Raw, '\n'))
		}
		return &refusal{no.Problem}
	}
	var unreachable *url.Error
	if errors.As(err, &unreachable) {
		return fmt.Errorf("no worker answers at %s (name one with --api or TANDEM_API): %w", c.API, err)
	}
	return err
}

// refusal is a problem as people read it.
type refusal struct{ rest.Problem }

func (r *refusal) Error() string {
	if r.Code == "file_unreadable" {
		text := "the file cannot be taken (" + r.Code + "):"
		for _, e := range r.Errors {
			text += "\n  " + plain(e.Message)
		}
		return text
	}
	text := fmt.Sprintf("%s (%s)", r.Detail, r.Code)
	for _, f := range r.Faults {
		text += "\n  " + plain(f.Path) + ": " + plain(f.Detail+" "+f.Mend)
	}
	return text
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
func age(t time.Time) string {
	if t.IsZero() {
		return "-"
	}
	return max(0, time.Since(t)).Round(time.Second).String()
}

// count is a number for one cell.
func count(n int64) string { return strconv.FormatInt(n, 10) }
