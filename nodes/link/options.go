package link

import (
	"fmt"
	"log/slog"
	"time"
)

// Options of a worker's listening side.
type Options struct {
	Address string        // host:port to listen on; port 0 takes a free one
	Secret  []byte        // shared by all workers, at least MinSecret bytes
	Worker  string        // this worker's name, which standbys see
	Silence time.Duration // a standby from which nothing comes for this long is given up; 0: DefaultSilence
	Logger  *slog.Logger  // nil: nothing is logged
}

// FollowOptions say which node to follow, and where its owner listens.
type FollowOptions struct {
	Address string        // the owner's link address, host:port
	Node    string        // the node's name, as its owner gave it to Own
	Worker  string        // this worker's name, which the owner sees
	Epoch   uint64        // the epoch in which the node says that it is owned
	Secret  []byte        // shared by all workers, at least MinSecret bytes
	Silence time.Duration // an owner from which nothing comes for this long is given up; 0: DefaultSilence
	Logger  *slog.Logger  // nil: nothing is logged

	// Handle receives the records in order, on one goroutine. It must return soon: while it runs nothing is
	// acknowledged, and after StallLimit the owner cuts this standby off. It must not call Close.
	Handle func(Record)
}

func (o Options) check() (Options, error) {
	err := checked(o.Secret, &o.Silence, &o.Logger)
	if err == nil && !validName(o.Worker) {
		err = fmt.Errorf("link: the worker's name has %d bytes, not 1 to %d", len(o.Worker), MaxName)
	}
	o.Secret = append([]byte(nil), o.Secret...)
	return o, err
}

func (o FollowOptions) check() (FollowOptions, error) {
	err := checked(o.Secret, &o.Silence, &o.Logger)
	if err == nil && (!validName(o.Worker) || !validName(o.Node)) {
		err = fmt.Errorf("link: the names of worker and node have %d and %d bytes, not 1 to %d", len(o.Worker), len(o.Node), MaxName)
	}
	if err == nil && o.Handle == nil {
		err = fmt.Errorf("link: nothing handles the records of node %s", o.Node)
	}
	return o, err
}

// checked fills in defaults and refuses what cannot work.
func checked(secret []byte, silence *time.Duration, logger **slog.Logger) error {
	if *silence == 0 {
		*silence = DefaultSilence
	}
	if *logger == nil {
		*logger = slog.New(slog.DiscardHandler)
	}
	if len(secret) < MinSecret {
		return fmt.Errorf("link: the secret has %d bytes, fewer than %d", len(secret), MinSecret)
	}
	if *silence < MinSilence {
		return fmt.Errorf("link: a silence limit of %s is below %s, which pings need", *silence, MinSilence)
	}
	return nil
}
