package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"

	kamailioconf "tandem/kamailio-conf"
)

// edgeCommands prepare the SIP edge.
type edgeCommands struct {
	Run edgeRunCommand `cmd:"" help:"Write Kamailio's configuration from the environment and become Kamailio."`
}

// edgeRunCommand is what an edge's container runs.
type edgeRunCommand struct {
	Name             string   `required:"" env:"TANDEM_EDGE_NAME" help:"Unique among all edges, such as edge1.example.com."`
	Outside          string   `required:"" env:"TANDEM_EDGE_OUTSIDE" help:"IP:port for phones and carriers."`
	Inside           string   `required:"" env:"TANDEM_EDGE_INSIDE" help:"IP:port for media nodes; nothing else may reach it."`
	Advertise        string   `env:"TANDEM_EDGE_ADVERTISE" help:"host:port that those outside must use, behind a NAT."`
	WebSocket        string   `env:"TANDEM_EDGE_WEBSOCKET" help:"IP:port for phones in browsers: wss with a certificate, ws for a proxy that has one."`
	Origins          []string `env:"TANDEM_EDGE_ORIGINS" help:"The pages that may connect there: https://admin.example.com."`
	TLS              string   `env:"TANDEM_EDGE_TLS" help:"IP:port for phones over TLS; needs a certificate."`
	Certificate      string   `env:"TANDEM_EDGE_TLS_CERT" help:"PEM file of the certificate and what leads to its root."`
	Key              string   `env:"TANDEM_EDGE_TLS_KEY" help:"PEM file of its key."`
	AMQPURL          string   `required:"" name:"amqp-url" env:"TANDEM_AMQP_URL" help:"RabbitMQ."`
	PostgresURL      string   `required:"" env:"TANDEM_POSTGRES_URL" help:"PostgreSQL; the user in it is replaced by the edge's own role."`
	Password         string   `required:"" env:"TANDEM_EDGE_PASSWORD" help:"Password of the edge's role in PostgreSQL."`
	EmergencyNumbers []string `env:"TANDEM_EMERGENCY_NUMBERS" help:"As dialled: 112,911."`
	EmergencyTrunk   string   `env:"TANDEM_EMERGENCY_TRUNK" help:"SIP URI of the emergency trunk; needed with emergency numbers."`
	StateDir         string   `required:"" env:"TANDEM_STATE_DIR" help:"Folder for the configuration and the control socket." type:"path"`
	Kamailio         string   `env:"TANDEM_KAMAILIO" default:"kamailio" help:"The program."`
}

// sharedMemoryMB is Kamailio's shared memory. A refused INVITE is remembered for five seconds (RFC 3261 17.2.1, timer I). With
// 128 MB the benchmark's saturation, some 2000 refused INVITEs a second, filled it and every call got 500; with 512 MB none
// did. Kamailio's own default is 64 MB.
const sharedMemoryMB = "512"

// privateMemoryMB is what each of its processes has by itself: descriptions of media that go on after a move are written in rooms of
// their own (pv_buffer_size and pv_buffer_slots of kamailio.cfg take 3 MB of it), and Kamailio's own default is 8.
const privateMemoryMB = "16"

// Run does not return when it succeeds: the process becomes Kamailio, so that signals reach it.
func (c *edgeRunCommand) Run(context.Context) error {
	if err := os.MkdirAll(c.StateDir, 0o700); err != nil {
		return fmt.Errorf("state folder: %w", err)
	}
	credentials, err := edgeURL(c.PostgresURL, c.Password)
	if err != nil {
		return err
	}
	config, err := kamailioconf.Write(c.StateDir, kamailioconf.Values{
		Edge: c.Name, Outside: c.Outside, Inside: c.Inside, Advertise: c.Advertise, AMQPURL: c.AMQPURL, PostgresURL: credentials,
		EmergencyNumbers: c.EmergencyNumbers, EmergencyTrunk: c.EmergencyTrunk,
		WebSocket: c.WebSocket, Origins: c.Origins, TLS: c.TLS, Certificate: c.Certificate, Key: c.Key,
	})
	if err != nil {
		return err
	}
	path, err := exec.LookPath(c.Kamailio)
	if err != nil {
		return fmt.Errorf("kamailio is not installed: %w", err)
	}
	// In the foreground, with errors on standard error.
	arguments := []string{"kamailio", "-DD", "-E", "-m", sharedMemoryMB, "-M", privateMemoryMB, "-f", config, "-P", filepath.Join(c.StateDir, "pid"),
		"-Y", c.StateDir, "-w", c.StateDir}
	return fmt.Errorf("start kamailio: %w", syscall.Exec(path, arguments, os.Environ()))
}
