// Command tandem is the control plane: one binary with a subcommand for each role and each tool.
package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"strconv"
	"syscall"
	_ "time/tzdata" // schedules need the time zones, and a container may lack them

	"github.com/alecthomas/kong"

	"tandem/rabbit"
)

// commands is the command line. Every flag can also come from the environment, so that a container needs no arguments.
type commands struct {
	Serve    serveCommand    `cmd:"" help:"Run a worker: decide routes, drive calls, write the ledger, serve the API."`
	Migrate  migrateCommand  `cmd:"" help:"Bring the database's schema up to this release."`
	Explain  explainCommand  `cmd:"" help:"Say why a call went as it did, or what would happen to one."`
	Replay   replayCommand   `cmd:"" help:"Say which calls would have gone differently under a draft or another version."`
	Elements elementsCommand `cmd:"" help:"Print what a flow can be made of: docs/elements.md."`
	Events   eventsCommand   `cmd:"" help:"Print which events webhooks and the event stream tell: docs/webhooks.md."`
	OpenAPI  openAPICommand  `cmd:"" name:"openapi" help:"Print the API's document (OpenAPI 3.1) as JSON."`
	Node     nodeCommands    `cmd:"" help:"Manage media nodes."`
	Call     callCommands    `cmd:"" help:"Look at live calls, and end them."`
	Trunk    trunkCommands   `cmd:"" help:"Manage trunks: carriers and customers' PBXs."`
	Phone    phoneCommands   `cmd:"" help:"Look after phones that provision themselves."`
	Number   numberCommands  `cmd:"" help:"Look after the inventory of numbers."`
	Order    orderCommands   `cmd:"" help:"Look at what is carried out in the background, and cancel it."`
	Webhook  webhookCommands `cmd:"" help:"Manage a tenant's webhooks, and look at what was sent to them."`
	Version  versionCommands `cmd:"" help:"Publish a tenant's configuration, compare its versions, and go back to an old one."`
	User     userCommands    `cmd:"" help:"Look at what users set for themselves, and change it."`
	Export   exportCommand   `cmd:"" help:"Show a tenant as a file."`
	Plan     planCommand     `cmd:"" help:"Say in words what has to change for a tenant to be as a file says."`
	Apply    applyCommand    `cmd:"" help:"Make a tenant what a file says, all of it or nothing."`
	Import   importCommands  `cmd:"" help:"Read what another telephone system exports, and say what cannot be carried over."`
	Edge     edgeCommands    `cmd:"" help:"Run the SIP edge."`
	Demo     demoCommand     `cmd:"" help:"Install, start and show everything on this machine, with one call."`
	StandIn  standInCommand  `cmd:"" name:"stand-in" help:"Run the stand-in for FreeSWITCH: signalling only, no audio."`
	Bench    benchCommands   `cmd:"" help:"Measure."`
	Chaos    chaosCommand    `cmd:"" help:"Kill, pause and cut off the owner of a media node during calls, and measure what callers could notice."`
	Sim      simCommand      `cmd:"" help:"Run the engine in simulated worlds, each made of a seed, and check its invariants."`
	Stack    stackCommand    `cmd:"" help:"Run a command beside a private PostgreSQL and RabbitMQ, for tests."`

	Porting portingCommands `cmd:"" help:"Look after porting orders: numbers that come from other carriers, or go to them."`

	Media mediaCommands `cmd:"" help:"Look after a tenant's prompts, greetings and music."`

	Registration registrationCommands `cmd:"" help:"Look at where phones are registered, and let edges forget them."`

	Mail voicemailCommands `cmd:"" name:"voicemail" help:"Look after voicemail: list boxes and messages, delete one, set a PIN."`

	Npm installNodeCommand `cmd:"" name:"install-node" hidden:"" help:"Install Node.js and npm from Debian, where they are missing."`
}

// exitCode lets a subcommand end with a code of its own.
type exitCode int

func (e exitCode) Error() string { return fmt.Sprintf("exit code %d", int(e)) }

func main() {
	// Ctrl-C and an orderly stop end the context; what runs then ends what it started.
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	os.Exit(run(ctx, os.Args[1:]))
}

// run is main without the process: it returns the exit code.
func run(ctx context.Context, args []string) int {
	var c commands
	parser, err := kong.New(&c, kong.Name("tandem"), kong.Description("The control plane of a telephone company."), kong.UsageOnError(),
		kong.Vars{"route_prefetch": strconv.Itoa(rabbit.RoutePrefetch)},
		kong.BindTo(ctx, (*context.Context)(nil)))
	if err != nil {
		fmt.Fprintln(os.Stderr, "tandem:", err)
		return 1
	}
	parsed, err := parser.Parse(args)
	if err != nil {
		fmt.Fprintln(os.Stderr, "tandem:", err)
		return 2
	}
	err = parsed.Run()
	var code exitCode
	switch {
	case err == nil:
		return 0
	case errors.As(err, &code):
		return int(code)
	}
	fmt.Fprintln(os.Stderr, "tandem:", err)
	return 1
}

// newLogger writes structured lines to standard error.
func newLogger() *slog.Logger {
	return slog.New(slog.NewJSONHandler(os.Stderr, nil))
}
