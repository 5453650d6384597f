package stack

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5"
)

// postgresPrograms is where Debian keeps the server's programs, by version.
const postgresPrograms = "/usr/lib/postgresql/*/bin"

const (
	postgresReady       = 60 * time.Second // crash recovery included
	postgresGrace       = 15 * time.Second
	postgresConnections = 200
)

// StartPostgreSQL starts the private PostgreSQL and waits until its database
// tandem answers. It does nothing while it runs.
func (s *Stack) StartPostgreSQL(ctx context.Context) error {
	return s.postgres.start(ctx, s, s.startPostgres)
}

// StopPostgreSQL stops it in order (SIGINT: open sessions are cut). Its port
// stays reserved, so that connecting is refused from then on.
func (s *Stack) StopPostgreSQL(ctx context.Context) error { return s.postgres.stop(ctx, s) }

// RestartPostgreSQL stops it, if it runs, and starts it on the same port.
func (s *Stack) RestartPostgreSQL(ctx context.Context) error {
	if err := s.StopPostgreSQL(ctx); err != nil {
		return err
	}
	return s.StartPostgreSQL(ctx)
}

// PostgreSQL is the running server, for Kill, Pause and Resume; nil when it
// does not run or belongs to another process.
func (s *Stack) PostgreSQL() *Process { return s.postgres.current() }

func (s *Stack) startPostgres(ctx context.Context) ([]*Process, error) {
	owner, err := account("postgres")
	if err != nil {
		return nil, err
	}
	home, err := s.folder.sub("postgres", owner)
	if err != nil {
		return nil, err
	}
	data := filepath.Join(home, "data")
	if err := s.initPostgres(ctx, home, data, owner); err != nil {
		return nil, err
	}
	programs, err := postgresFolder(data)
	if err != nil {
		return nil, err
	}
	arguments := []string{
		"-D", data, "-p", strconv.Itoa(s.settings.PostgresPort),
		"-c", "listen_addresses=127.0.0.1",
		"-c", "unix_socket_directories=" + home,
		"-c", "max_connections=" + strconv.Itoa(postgresConnections),
	}
	if !s.durable {
		for _, off := range []string{"fsync", "synchronous_commit", "full_page_writes"} {
			arguments = append(arguments, "-c", off+"=off")
		}
	}
	p, err := launch(ctx, Command{
		Name: "PostgreSQL", Path: filepath.Join(programs, "postgres"), Arguments: arguments,
		Environment: serverEnvironment(home), Dir: home, Log: s.logPath("postgres"),
		Ready: s.postgresAnswers, Within: postgresReady,
		// SIGINT is "fast": sessions are cut and the data is left clean.
		Stop: syscall.SIGINT, Grace: postgresGrace, credential: owner,
	})
	if err != nil {
		return nil, err
	}
	return []*Process{p}, nil
}

// initPostgres creates the cluster on the first start.
func (s *Stack) initPostgres(ctx context.Context, home, data string, owner *syscall.Credential) error {
	// PG_VERSION is written early; only a complete cluster has our mark.
	mark := filepath.Join(home, "complete")
	if _, err := os.Stat(mark); err == nil {
		return nil
	} else if !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if err := os.RemoveAll(data); err != nil {
		return err
	}
	programs, err := postgresFolder(data)
	if err != nil {
		return err
	}
	secret := filepath.Join(home, "password")
	if err := errors.Join(writeFile(secret, []byte(s.settings.PostgresPassword), 0o600), own(secret, owner)); err != nil {
		return err
	}
	defer os.Remove(secret)
	cmd := exec.CommandContext(ctx, filepath.Join(programs, "initdb"), "-D", data, "-U", accountName,
		"-A", "scram-sha-256", "--pwfile", secret, "-E", "UTF8", "--locale=C.UTF-8", "--no-sync", "--no-instructions")
	cmd.Env, cmd.Dir = serverEnvironment(home), home
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Credential: owner}
	if output, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("PostgreSQL's initdb: %w: %s", err, worstLine(string(output)))
	}
	return os.WriteFile(mark, nil, 0o644)
}

// postgresAnswers connects as tandem, creating its database when it is absent.
func (s *Stack) postgresAnswers(ctx context.Context) error {
	conn, err := pgx.Connect(ctx, s.settings.postgresURL("postgres"))
	if err != nil {
		return err
	}
	defer conn.Close(context.WithoutCancel(ctx))
	var exists bool
	const query = `SELECT EXISTS (SELECT FROM pg_database WHERE datname = $1)`
	if err := conn.QueryRow(ctx, query, databaseName).Scan(&exists); err != nil || exists {
		return err
	}
	_, err = conn.Exec(ctx, `CREATE DATABASE `+databaseName)
	return err
}

// postgresFolder finds the programs of the version that made the data, or of
// the newest version for new data.
func postgresFolder(data string) (string, error) {
	found, err := filepath.Glob(postgresPrograms + "/postgres")
	if err != nil {
		return "", err
	}
	made, _ := os.ReadFile(filepath.Join(data, "PG_VERSION"))
	wanted := strings.TrimSpace(string(made))
	best, folder := 0, ""
	for _, name := range found {
		programs := filepath.Dir(name)
		version := filepath.Base(filepath.Dir(programs))
		number, err := strconv.Atoi(version)
		if err == nil && number > best && (wanted == "" || wanted == version) {
			best, folder = number, programs
		}
	}
	if folder == "" {
		return "", fmt.Errorf("PostgreSQL %s is not installed: run `apt-get install postgresql`", wanted)
	}
	return folder, nil
}

// serverEnvironment is what a database gets to see: nothing of ours leaks in.
func serverEnvironment(home string) []string {
	return []string{"HOME=" + home, "LC_ALL=C.UTF-8", "PATH=/usr/sbin:/usr/bin:/sbin:/bin"}
}
