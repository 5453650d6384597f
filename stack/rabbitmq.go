package stack

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"syscall"
	"text/template"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"
)

// rabbitmqPlugins is where Debian keeps the server's own Erlang applications.
const rabbitmqPlugins = "/usr/lib/rabbitmq/lib/rabbitmq_server-*/plugins"

const (
	// rabbitmqReady is generous: the server boots in 3 s on an idle machine and
	// took 48 s on a busy one.
	rabbitmqReady = 90 * time.Second
	rabbitmqGrace = 15 * time.Second
	nodeName      = "rabbit@localhost"
)

// rabbitmqConfig is in Erlang's own terms, which spares the boot the reading
// of the schemas that the newer format needs. No plugin is enabled.
var rabbitmqConfig = template.Must(template.New("rabbitmq").Parse(`[{rabbit, [
  {tcp_listeners, [{"127.0.0.1", {{.AMQPPort}}}]},
  {default_user, <<"tandem">>}, {default_pass, <<"{{.AMQPPassword}}">>},
  {default_user_tags, [administrator]}, {default_vhost, <<"/">>},
  {default_permissions, [<<".*">>, <<".*">>, <<".*">>]},
  {disk_free_limit, 50000000},
  {log, [{file, [{file, false}]}, {console, [{enabled, true}, {level, info}]}]}
]}].
`))

// StartRabbitMQ starts the private RabbitMQ and waits until a client can log
// in. It does nothing while it runs.
func (s *Stack) StartRabbitMQ(ctx context.Context) error {
	return s.rabbit.start(ctx, s, s.startRabbit)
}

// StopRabbitMQ stops it in order. Its port stays reserved, so that connecting
// is refused from then on. Durable queues are there after the next start.
func (s *Stack) StopRabbitMQ(ctx context.Context) error { return s.rabbit.stop(ctx, s) }

// RestartRabbitMQ stops it, if it runs, and starts it on the same port.
func (s *Stack) RestartRabbitMQ(ctx context.Context) error {
	if err := s.StopRabbitMQ(ctx); err != nil {
		return err
	}
	return s.StartRabbitMQ(ctx)
}

// RabbitMQ is the running broker, for Kill, Pause and Resume; nil when it does
// not run or belongs to another process.
func (s *Stack) RabbitMQ() *Process { return s.rabbit.current() }

// startRabbit runs the Erlang machine itself, without RabbitMQ's shell
// scripts: they cost seconds, start a port mapper that stays behind, and stand
// between us and the process that we must stop.
func (s *Stack) startRabbit(ctx context.Context) (_ []*Process, err error) {
	owner, err := account("rabbitmq")
	if err != nil {
		return nil, err
	}
	home, err := s.folder.sub("rabbitmq", owner)
	if err != nil {
		return nil, err
	}
	plugins, err := filepath.Glob(rabbitmqPlugins)
	if err != nil || len(plugins) == 0 {
		return nil, errors.New("RabbitMQ is not installed: run `apt-get install rabbitmq-server`")
	}
	if err := s.configureRabbit(home, owner); err != nil {
		return nil, err
	}
	environment := s.rabbitEnvironment(home, plugins[0])
	epmd, err := launch(ctx, Command{
		Name: "RabbitMQ's epmd", Path: "/usr/bin/epmd",
		Arguments:   []string{"-port", strconv.Itoa(s.settings.EpmdPort), "-address", "127.0.0.1"},
		Environment: environment, Dir: home, Log: s.logPath("epmd"),
		Ready: answersTCP(loopback(s.settings.EpmdPort)), credential: owner,
	})
	if err != nil {
		return nil, err
	}
	broker, err := launch(ctx, Command{
		Name: "RabbitMQ", Path: "/usr/bin/erl", Arguments: s.rabbitArguments(),
		Environment: environment, Dir: home, Log: s.logPath("rabbitmq"),
		Ready: s.rabbitAnswers, Within: rabbitmqReady, Grace: rabbitmqGrace, credential: owner,
	})
	if err != nil {
		return nil, errors.Join(err, epmd.Stop(context.WithoutCancel(ctx)))
	}
	return []*Process{epmd, broker}, nil
}

func (s *Stack) configureRabbit(home string, owner *syscall.Credential) error {
	config, err := os.Create(filepath.Join(home, "rabbitmq.config"))
	if err != nil {
		return err
	}
	cookie := filepath.Join(home, ".erlang.cookie")
	return errors.Join(
		rabbitmqConfig.Execute(config, s.settings), config.Chmod(0o600), config.Close(), own(config.Name(), owner),
		// Erlang insists on a cookie that only its owner can read.
		writeFile(cookie, []byte(s.settings.ErlangCookie), 0o600), own(cookie, owner),
		writeFile(filepath.Join(home, "enabled_plugins"), []byte("[].\n"), 0o644),
	)
}

// rabbitEnvironment keeps every file below home (rabbitmq-env.conf(5)).
func (s *Stack) rabbitEnvironment(home, plugins string) []string {
	environment := append(serverEnvironment(home),
		"ERL_LIBS="+plugins, "ERL_CRASH_DUMP_SECONDS=0",
		"ERL_EPMD_PORT="+strconv.Itoa(s.settings.EpmdPort), "ERL_EPMD_ADDRESS=127.0.0.1",
		"RABBITMQ_HOME="+filepath.Dir(plugins), "RABBITMQ_PLUGINS_DIR="+plugins,
		"RABBITMQ_NODENAME="+nodeName, "RABBITMQ_LOGS=-",
		"RABBITMQ_NODE_IP_ADDRESS=127.0.0.1",
		"RABBITMQ_NODE_PORT="+strconv.Itoa(s.settings.AMQPPort),
		"RABBITMQ_DIST_PORT="+strconv.Itoa(s.settings.ErlangPort),
	)
	for variable, file := range map[string]string{
		"CONFIG_FILE": "rabbitmq.config", "ADVANCED_CONFIG_FILE": "none.config", "CONF_ENV_FILE": "none.conf",
		"ENABLED_PLUGINS_FILE": "enabled_plugins", "FEATURE_FLAGS_FILE": "feature_flags", "PID_FILE": "pid",
		"LOG_BASE": "log", "MNESIA_BASE": "data", "MNESIA_DIR": "data/mnesia", "QUORUM_DIR": "data/quorum",
		"STREAM_DIR": "data/stream", "PLUGINS_EXPAND_DIR": "plugins", "SCHEMA_DIR": "schema", "GENERATED_CONFIG_DIR": "schema",
	} {
		environment = append(environment, "RABBITMQ_"+variable+"="+filepath.Join(home, file))
	}
	return environment
}

// rabbitArguments are those of Debian's rabbitmq-server script, with the
// node's name and port given here (which spares a second Erlang machine that
// would look for a port mapper), all on loopback, and without busy waiting,
// which would take the processor from the calls under test.
func (s *Stack) rabbitArguments() []string {
	port := strconv.Itoa(s.settings.ErlangPort)
	return []string{
		"-noinput", "-sname", nodeName, "-start_epmd", "false",
		"-kernel", "inet_dist_use_interface", "{127,0,0,1}",
		"-kernel", "inet_dist_listen_min", port, "-kernel", "inet_dist_listen_max", port,
		"-s", "rabbit", "boot", "-boot", "start_sasl",
		"+W", "w", "+sbwt", "none", "+sbwtdcpu", "none", "+sbwtdio", "none",
		"+MBas", "ageffcbf", "+MHas", "ageffcbf", "+MBlmbcs", "512", "+MHlmbcs", "512", "+MMmcs", "30",
		"-syslog", "logger", "[]", "-syslog", "syslog_error_logger", "false",
		"-kernel", "prevent_overlapping_partitions", "false",
	}
}

// rabbitAnswers logs in and opens a channel: the listener opens last in a boot.
func (s *Stack) rabbitAnswers(ctx context.Context) error {
	if err := answersTCP(loopback(s.settings.AMQPPort))(ctx); err != nil {
		return err
	}
	conn, err := amqp.DialConfig(s.settings.amqpURL("/"), amqp.Config{Dial: amqp.DefaultDial(probeWithin)})
	if err != nil {
		return err
	}
	defer conn.Close()
	if _, err := conn.Channel(); err != nil {
		return fmt.Errorf("open a channel: %w", err)
	}
	return nil
}

// answersTCP is a probe that only connects.
func answersTCP(address string) func(context.Context) error {
	return func(ctx context.Context) error {
		var dialer net.Dialer
		conn, err := dialer.DialContext(ctx, "tcp", address)
		if err != nil {
			return err
		}
		return conn.Close()
	}
}
