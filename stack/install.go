package stack

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// Program is something that a stack runs and that Debian packages.
type Program int

// The programs that Install knows.
const (
	PostgreSQL Program = iota + 1
	RabbitMQ
	Kamailio
	SIPTester // SIPp, by the name of its package
	Node      // Node.js with npm, for linters and pages; no stack runs it
)

// String is the program's own name, as its makers write it.
func (p Program) String() string {
	switch p {
	case PostgreSQL:
		return "PostgreSQL"
	case RabbitMQ:
		return "RabbitMQ"
	case Kamailio:
		return "Kamailio"
	case SIPTester:
		return "SIPp"
	case Node:
		return "Node.js"
	}
	return fmt.Sprintf("Program(%d)", int(p))
}

// recipe is how Debian packages a program, and how its presence shows.
type recipe struct {
	packages []string
	// files are glob patterns; each must match for the program to be there.
	files []string
	// units are the systemd units that the packages enable, by package. They
	// are disabled again when, and only when, Install has brought the package.
	units map[string][]string
}

// modules is where Debian keeps Kamailio's modules, whatever the architecture.
const modules = "/usr/lib/*/kamailio/modules/"

func (p Program) recipe() recipe {
	switch p {
	case PostgreSQL:
		return recipe{
			packages: []string{"postgresql"},
			files:    []string{postgresPrograms + "/postgres", postgresPrograms + "/initdb"},
			units:    map[string][]string{"postgresql-common": {"postgresql.service"}},
		}
	case RabbitMQ:
		return recipe{
			packages: []string{"rabbitmq-server"},
			files:    []string{rabbitmqPlugins, "/usr/bin/erl"},
			units: map[string][]string{
				"rabbitmq-server": {"rabbitmq-server.service"},
				"erlang-base":     {"epmd.service", "epmd.socket"},
			},
		}
	case Kamailio:
		return recipe{
			// kazoo: AMQP; json: jansson; extra: uuid and http; tls: for phones; websocket: for those in browsers.
			packages: []string{
				"kamailio", "kamailio-kazoo-modules", "kamailio-json-modules",
				"kamailio-postgres-modules", "kamailio-extra-modules", "kamailio-tls-modules", "kamailio-websocket-modules",
			},
			files: []string{
				"/usr/sbin/kamailio", modules + "kazoo.so", modules + "jansson.so",
				modules + "db_postgres.so", modules + "uuid.so", modules + "tls.so", modules + "websocket.so",
			},
			units: map[string][]string{"kamailio": {"kamailio.service"}},
		}
	case SIPTester:
		return recipe{packages: []string{"sip-tester"}, files: []string{"/usr/bin/sipp"}}
	case Node:
		return recipe{packages: []string{"nodejs", "npm"}, files: []string{"/usr/bin/node", "/usr/bin/npm"}}
	}
	return recipe{}
}

// Installed reports whether every file that the program needs is there.
func (p Program) Installed() bool {
	files := p.recipe().files
	for _, pattern := range files {
		if found, err := filepath.Glob(pattern); err != nil || len(found) == 0 {
			return false
		}
	}
	return len(files) > 0
}

// aptLockWait is how long apt-get waits for another apt-get to finish.
const aptLockWait = 10 * time.Minute

// aptGrace is how long apt-get may take to stop after an interrupt: cutting
// dpkg off in the middle would leave half-configured packages behind.
const aptGrace = 2 * time.Minute

// Install makes sure that the programs are there. What is missing comes from
// the Debian packages, without starting or enabling any service; what is there
// already is left exactly as it is. Progress goes to out, a line at a time. An
// error is one line that says what to do.
func Install(ctx context.Context, out io.Writer, need ...Program) error {
	missing := missingOf(need)
	if len(missing) == 0 {
		return nil
	}
	names, packages := gather(missing)
	if len(packages) == 0 {
		return fmt.Errorf("no Debian package is known for %s", list(names))
	}
	command := "apt-get install -y --no-install-recommends " + strings.Join(packages, " ")
	if os.Geteuid() != 0 {
		return fmt.Errorf("%s missing and only root can install: run `sudo %s`, then this command again", list(names), command)
	}
	if _, err := exec.LookPath("apt-get"); err != nil {
		return fmt.Errorf("%s missing and apt-get not found: Tandem installs only on Debian; install them by hand", list(names))
	}
	quiet, err := keepServicesDown(missing)
	if err != nil {
		return err
	}
	defer quiet.lift()
	units := unitsToCome(ctx, missing)

	started := time.Now()
	fmt.Fprintf(out, "installing %s from Debian (nothing is started or enabled)\n", list(names))
	// The package lists may be absent (fresh container) or stale; a refusal
	// shows again, and better, in the installation itself.
	if err := apt(ctx, io.Discard, "update", "-q"); err != nil && ctx.Err() != nil {
		return fmt.Errorf("installing %s: %w", list(names), ctx.Err())
	}
	arguments := append([]string{"install", "-y", "-q", "--no-install-recommends"}, packages...)
	if err := apt(ctx, out, arguments...); err != nil {
		return fmt.Errorf("installing %s failed: %w; run `%s` to see all of it", list(names), err, command)
	}
	if missing := missingOf(need); len(missing) > 0 {
		names, _ := gather(missing)
		return fmt.Errorf("%s still missing after `%s`: is this Debian 12?", list(names), command)
	}
	disable(ctx, units)
	fmt.Fprintf(out, "installed %s in %.0f s\n", list(names), time.Since(started).Seconds())
	return nil
}

func missingOf(need []Program) []Program {
	var missing []Program
	for _, p := range need {
		if !p.Installed() {
			missing = append(missing, p)
		}
	}
	return missing
}

func gather(programs []Program) (names, packages []string) {
	for _, p := range programs {
		names = append(names, p.String())
		packages = append(packages, p.recipe().packages...)
	}
	return names, packages
}

// unitsToCome lists the units of packages that are not installed yet: those of
// an installed package are the machine's own affair, enabled or not.
func unitsToCome(ctx context.Context, programs []Program) []string {
	var units []string
	for _, p := range programs {
		for name, its := range p.recipe().units {
			status, _ := exec.CommandContext(ctx, "dpkg-query", "-W", "-f", "${db:Status-Status}", name).Output()
			if string(status) != "installed" {
				units = append(units, its...)
			}
		}
	}
	return units
}

// list writes names as a sentence does: "A, B and C".
func list(names []string) string {
	if len(names) < 2 {
		return strings.Join(names, "")
	}
	last := len(names) - 1
	return strings.Join(names[:last], ", ") + " and " + names[last]
}

// apt runs apt-get without questions. Its error is the last line in which
// apt-get itself named one.
func apt(ctx context.Context, out io.Writer, arguments ...string) error {
	arguments = append([]string{"-o", fmt.Sprintf("DPkg::Lock::Timeout=%.0f", aptLockWait.Seconds())}, arguments...)
	cmd := exec.CommandContext(ctx, "apt-get", arguments...)
	cmd.Env = append(os.Environ(), "DEBIAN_FRONTEND=noninteractive", "LC_ALL=C.UTF-8", "NEEDRESTART_MODE=l")
	// A group of its own: Ctrl-C in the terminal reaches apt-get only through
	// us, once, and dpkg never.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	cmd.WaitDelay = aptGrace
	pipe, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	cmd.Stderr = cmd.Stdout
	if err := cmd.Start(); err != nil {
		return err
	}
	complaint := ""
	lines := bufio.NewScanner(pipe)
	for lines.Scan() {
		line := lines.Text()
		if text, found := strings.CutPrefix(line, "E: "); found {
			complaint = text
		}
		if strings.HasPrefix(line, "Setting up ") || strings.HasPrefix(line, "Need to get ") {
			fmt.Fprintln(out, "  "+strings.TrimSuffix(line, " ..."))
		}
	}
	err = errors.Join(lines.Err(), cmd.Wait())
	if err != nil && complaint != "" {
		return errors.New(complaint)
	}
	return err
}

// disable undoes what the packages enabled by themselves, for systemd, which may
// be absent, and for SysV init. A failure leaves a service enabled for the next
// boot, but not running.
func disable(ctx context.Context, units []string) {
	for _, unit := range units {
		_ = exec.CommandContext(ctx, "systemctl", "--quiet", "disable", unit).Run()
		if name, found := strings.CutSuffix(unit, ".service"); found {
			_ = exec.CommandContext(ctx, "update-rc.d", name, "disable").Run()
		}
	}
}
