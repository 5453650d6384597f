package stack

import (
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
)

const settingsName = "stack.json"

// The one account and database of a stack.
const (
	accountName  = "tandem"
	databaseName = "tandem"
)

// settings are what a stack keeps in its folder: for its next start, when it
// persists, and for the processes that it is shared with. They hold secrets;
// only the owner's account can read the file.
type settings struct {
	PostgresPort     int    `json:"postgres_port"`
	PostgresPassword string `json:"postgres_password"`
	AMQPPort         int    `json:"amqp_port"`
	AMQPPassword     string `json:"amqp_password"`
	ErlangPort       int    `json:"erlang_port"` // of the node's own protocol
	EpmdPort         int    `json:"epmd_port"`   // of Erlang's port mapper
	ErlangCookie     string `json:"erlang_cookie"`
	HTTPPort         int    `json:"http_port"`
}

// loadSettings reads what an earlier start left in the folder and completes
// it. Ports stay the same as long as they are free.
func loadSettings(folder string) (settings, error) {
	set, err := readSettings(folder)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return set, err
	}
	for _, port := range []*int{&set.PostgresPort, &set.AMQPPort, &set.ErlangPort, &set.EpmdPort, &set.HTTPPort} {
		if *port != 0 && reserve(*port) == nil {
			continue
		}
		if *port, err = FreePort(); err != nil {
			return set, err
		}
	}
	for _, secret := range []*string{&set.PostgresPassword, &set.AMQPPassword, &set.ErlangCookie} {
		if *secret == "" {
			*secret = rand.Text()
		}
	}
	text, err := json.MarshalIndent(set, "", "  ")
	if err != nil {
		return set, err
	}
	return set, writeFile(filepath.Join(folder, settingsName), text, 0o600)
}

func readSettings(folder string) (settings, error) {
	var set settings
	name := filepath.Join(folder, settingsName)
	text, err := os.ReadFile(name)
	if err != nil {
		return set, err
	}
	if err := json.Unmarshal(text, &set); err != nil {
		return set, fmt.Errorf("%s is damaged (%w): remove the folder %s", name, err, folder)
	}
	return set, nil
}

func (s settings) postgresURL(database string) string {
	return (&url.URL{
		Scheme: "postgres", User: url.UserPassword(accountName, s.PostgresPassword),
		Host: loopback(s.PostgresPort), Path: "/" + database, RawQuery: "sslmode=disable",
	}).String()
}

// amqpURL names the virtual host by its percent-encoded path segment: the one
// called "/" is "%2F", while a bare "/" would be the one without a name.
func (s settings) amqpURL(vhost string) string {
	return fmt.Sprintf("amqp://%s:%s@%s/%s", accountName, s.AMQPPassword, loopback(s.AMQPPort), url.PathEscape(vhost))
}

func loopback(port int) string { return "127.0.0.1:" + strconv.Itoa(port) }

// writeFile writes a whole file with exactly these permissions.
func writeFile(name string, content []byte, mode fs.FileMode) error {
	if err := os.WriteFile(name, content, mode); err != nil {
		return err
	}
	return os.Chmod(name, mode)
}
