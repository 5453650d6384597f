package stack

import (
	"context"
	"crypto/rand"
	"fmt"
	"net/url"
	"os/exec"
	"path/filepath"
	"strings"
)

// NewVHost makes a virtual host of its own for a test, with all rights for the
// stack's account, so that exchanges and queues of the same names do not meet.
// The name is only a hint in the real one.
func (s *Stack) NewVHost(ctx context.Context, name string) (amqpURL string, err error) {
	name = unique(name, "-")
	const all = `<<".*">>`
	err = s.erlang(ctx, fmt.Sprintf(
		`ok = rabbit_vhost:add(<<"%[1]s">>, <<"tandem">>),`+
			`ok = rabbit_auth_backend_internal:set_permissions(<<"tandem">>, <<"%[1]s">>, %[2]s, %[2]s, %[2]s, <<"tandem">>)`,
		name, all))
	if err != nil {
		return "", fmt.Errorf("make a virtual host: %w", err)
	}
	return s.settings.amqpURL(name), nil
}

// DropVHost removes a virtual host of NewVHost, cutting its connections.
func (s *Stack) DropVHost(ctx context.Context, amqpURL string) error {
	parsed, err := url.Parse(amqpURL)
	if err != nil {
		return fmt.Errorf("drop a virtual host: %w", err)
	}
	name := strings.TrimPrefix(parsed.Path, "/")
	if name == "" || name == "/" || strings.Trim(name, "abcdefghijklmnopqrstuvwxyz0123456789-") != "" {
		return fmt.Errorf("drop a virtual host: %q is none of NewVHost's", name)
	}
	if err := s.erlang(ctx, fmt.Sprintf(`ok = rabbit_vhost:delete(<<"%s">>, <<"tandem">>)`, name)); err != nil {
		return fmt.Errorf("drop a virtual host: %w", err)
	}
	return nil
}

// erlang evaluates an expression in the broker by erl_call(1), which takes
// milliseconds where rabbitmqctl boots an Erlang machine of its own first.
// Every answer but ok is an error.
func (s *Stack) erlang(ctx context.Context, expression string) error {
	// The cookie is found through HOME rather than shown in the process list.
	cmd := exec.CommandContext(ctx, "/usr/bin/erl_call", "-address", loopback(s.settings.ErlangPort), "-e",
		// Two calls at once must not share a node name, which they do by default.
		"-h", "tandem"+strings.ToLower(rand.Text()))
	cmd.Env = serverEnvironment(filepath.Join(s.Dir, "rabbitmq"))
	cmd.Stdin = strings.NewReader(expression + ".\n")
	output, err := cmd.CombinedOutput()
	answer := strings.TrimSpace(string(output))
	if err != nil {
		return fmt.Errorf("%w: %s", err, shorten(answer))
	}
	if answer != "{ok, ok}" {
		return fmt.Errorf("RabbitMQ answered %s", shorten(strings.Join(strings.Fields(answer), " ")))
	}
	return nil
}
