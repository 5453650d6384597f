package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"time"

	rest "tandem/provisioning/client"
)

// voicemailCommands look after boxes and messages.
type voicemailCommands struct {
	Boxes  voicemailBoxesCommand  `cmd:"" help:"List a tenant's boxes and how many messages each holds."`
	List   voicemailListCommand   `cmd:"" help:"List the messages of a box, the newest first."`
	Show   voicemailShowCommand   `cmd:"" help:"Show one message."`
	Delete voicemailDeleteCommand `cmd:"" help:"Delete a message. Its sound is removed a day later."`
	PIN    voicemailPINCommand    `cmd:"" name:"pin" help:"Give a box a PIN, and open it again if wrong PINs have locked it. The PIN is read from standard input."`

	Greeting voicemailGreetingCommand `cmd:"" help:"Give a box a greeting of its own (a WAV file, as docs/media.md says), or take it away (--remove)."`
}

// boxArguments name a box.
type boxArguments struct {
	client
	Tenant string `arg:"" help:"The tenant's id."`
	Box    string `arg:"" help:"The box: its user's id or extension."`
}

// voicemailBoxesCommand lists boxes.
type voicemailBoxesCommand struct {
	client
	Tenant string `arg:"" help:"The tenant's id."`
}

// Run lists.
func (c *voicemailBoxesCommand) Run(ctx context.Context) error {
	answer, err := c.api().ListBoxes(ctx, c.Tenant)
	if done, err := told(c.client, answer, err); done {
		return err
	}
	var rows [][]string
	for _, b := range answer.Body.Boxes {
		rows = append(rows, []string{b.Box, b.Extension, b.Name, count(b.New), count(b.Heard)})
	}
	return table("BOX EXTENSION NAME NEW HEARD", rows)
}

// voicemailListCommand lists messages.
type voicemailListCommand struct {
	boxArguments
	New    bool   `help:"Only those that were not heard."`
	Limit  int    `default:"50" help:"At most so many."`
	Cursor string `help:"Those behind the place that an earlier answer named."`
}

// Run lists.
func (c *voicemailListCommand) Run(ctx context.Context) error {
	params := rest.ListMessagesParams{Limit: int64(c.Limit), Cursor: c.Cursor}
	if c.New {
		params.New = "true"
	}
	page, err := c.api().ListMessages(ctx, c.Tenant, c.Box, params)
	if done, err := told(c.client, page, err); done {
		return err
	}
	answer := page.Body
	if len(answer.Messages) == 0 {
		fmt.Println("The box holds no such message.")
		return nil
	}
	var rows [][]string
	for _, m := range answer.Messages {
		rows = append(rows, []string{m.ID, m.At.UTC().Format(time.DateTime), seconds(m.Seconds), m.From, m.FromName, messageWords(m)})
	}
	if err := table("MESSAGE LEFT-AT-UTC SECONDS FROM NAME STATE", rows); err != nil || answer.Next == "" {
		return err
	}
	fmt.Printf("and more: --cursor %s\n", answer.Next)
	return nil
}

func seconds(s float64) string { return strconv.FormatFloat(s, 'f', 1, 64) }

// messageWords is what has become of a message, for one cell.
func messageWords(m rest.MessageView) string {
	if m.HeardAt.IsZero() {
		return "new"
	}
	return "heard"
}

// voicemailShowCommand shows one.
type voicemailShowCommand struct {
	boxArguments
	Message string `arg:"" help:"The message's id."`
}

// Run shows.
func (c *voicemailShowCommand) Run(ctx context.Context) error {
	answer, err := c.api().GetMessage(ctx, c.Tenant, c.Box, c.Message)
	if done, err := told(c.client, answer, err); done {
		return err
	}
	m := answer.Body
	fmt.Printf("Message %s, left at %s by %s (%s), %s seconds: %s.\n", plain(m.ID), m.At.UTC().Format("2006-01-02 15:04:05 UTC"), plain(m.From), plain(m.FromName), seconds(m.Seconds), messageWords(m))
	if m.Filed {
		fmt.Printf("  SHA-256 %s, %d bytes\n", plain(m.Sha256), m.Bytes)
	}
	fmt.Printf("Why it came so: tandem explain %s\n", plain(m.Call))
	return nil
}

// voicemailDeleteCommand deletes one.
type voicemailDeleteCommand struct {
	boxArguments
	Message string `arg:"" help:"The message's id."`
}

// Run deletes.
func (c *voicemailDeleteCommand) Run(ctx context.Context) error {
	answer, err := c.api().DeleteMessage(ctx, c.Tenant, c.Box, c.Message)
	if done, err := told(c.client, answer, err); done {
		return err
	}
	fmt.Println("The message is deleted.")
	return nil
}

// voicemailPINCommand sets a PIN.
type voicemailPINCommand struct{ boxArguments }

// Run reads the PIN and sets it. An argument would stand in the list of processes.
func (c *voicemailPINCommand) Run(ctx context.Context) error {
	line, err := bufio.NewReader(io.LimitReader(os.Stdin, 64)).ReadString('\n')
	if err != nil && !errors.Is(err, io.EOF) {
		return fmt.Errorf("the PIN cannot be read: %w", err)
	}
	answer, err := c.api().SetBoxPin(ctx, c.Tenant, c.Box, rest.PinBody{Pin: strings.TrimSpace(line)})
	if done, err := told(c.client, answer, err); done {
		return err
	}
	fmt.Println("The box has its new PIN.")
	return nil
}
