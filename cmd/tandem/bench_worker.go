package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime/pprof"
	"strconv"
	"time"

	"tandem/rabbit"
	"tandem/stack"
)

// The workers that are compared.
const (
	echoWorker  = "echo"  // answers without reading
	routeWorker = "route" // a real worker with the role route
)

// benchWorkerCommand is the child process. The route worker is serve with its role route, nothing left out: snapshot from
// PostgreSQL, facts from events, journal and CDRs to the ledger's queue.
type benchWorkerCommand struct {
	Kind        string `enum:"echo,route" required:""`
	PostgresURL string `required:"" env:"TANDEM_POSTGRES_URL"`
	AMQPURL     string `required:"" name:"amqp-url" env:"TANDEM_AMQP_URL"`
	StateDir    string `required:"" env:"TANDEM_STATE_DIR" type:"path"`
	CPUProfile  string `name:"cpu-profile" type:"path" help:"Written here at the end."`
	Prefetch    int    `default:"${route_prefetch}"`
}

// Run works until the context ends.
func (c *benchWorkerCommand) Run(ctx context.Context) (err error) {
	if c.CPUProfile != "" {
		file, err := os.Create(c.CPUProfile)
		if err != nil {
			return err
		}
		defer file.Close()
		if err := pprof.StartCPUProfile(file); err != nil {
			return err
		}
		defer pprof.StopCPUProfile()
	}
	if c.Kind == routeWorker {
		worker := &serveCommand{PostgresURL: c.PostgresURL, AMQPURL: c.AMQPURL, StateDir: c.StateDir, Name: "bench",
			Roles: []string{roleRoute}, Prefetch: c.Prefetch}
		return worker.Run(ctx)
	}
	relaxGC() // as serve does
	client, err := rabbit.Connect(ctx, rabbit.Options{URL: c.AMQPURL, Name: "bench", Logger: newLogger()})
	if err != nil {
		return err
	}
	defer client.Close()
	return client.ServeEcho(ctx, c.Prefetch)
}

// startBenchWorker starts one of them. It has not consumed anything yet when this returns.
func (b *bench) startBenchWorker(ctx context.Context, kind string) (*stack.Process, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	state, err := os.MkdirTemp(b.system.stack.Dir, "state-bench-")
	if err != nil {
		return nil, err
	}
	arguments := []string{"bench", "worker", "--kind", kind, "--prefetch", strconv.Itoa(b.options.Prefetch)}
	if b.options.CPUProfile != "" {
		b.profiles++
		arguments = append(arguments, "--cpu-profile", filepath.Join(b.options.CPUProfile, fmt.Sprintf("%s-%d.prof", kind, b.profiles)))
	}
	return b.system.stack.Launch(ctx, stack.Command{
		Name: "bench " + kind, Path: self, Arguments: arguments,
		Environment: append(os.Environ(), "TANDEM_POSTGRES_URL="+b.options.PostgresURL, "TANDEM_AMQP_URL="+b.options.AMQPURL,
			"TANDEM_STATE_DIR="+state, asTandem),
	})
}

// ticksPerSecond is the unit of the times in /proc/PID/stat: USER_HZ, which is 100 on every Linux that Go runs on.
const ticksPerSecond = 100

// cpuOf is the processor time that a process has used, its kernel part included (proc(5): utime and stime, fields 14
// and 15).
func cpuOf(pid int) (time.Duration, error) {
	text, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "stat"))
	if err != nil {
		return 0, err
	}
	// The name before it is in brackets and may hold anything.
	fields := bytes.Fields(text[bytes.LastIndexByte(text, ')')+1:])
	const user, system = 14 - 3, 15 - 3
	if len(fields) <= system {
		return 0, errors.New("/proc/PID/stat is not as proc(5) says")
	}
	var ticks int
	for _, f := range [][]byte{fields[user], fields[system]} {
		n, err := strconv.Atoi(string(f))
		if err != nil {
			return 0, err
		}
		ticks += n
	}
	return time.Duration(ticks) * time.Second / ticksPerSecond, nil
}
