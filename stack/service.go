package stack

import (
	"context"
	"errors"
	"slices"
	"sync"
)

// errShared answers whoever wants to stop what other processes use too.
var errShared = errors.New("this stack belongs to another process: stack.Start your own to stop or start its databases")

// service is a database of a stack: the processes that make it, main one last.
type service struct {
	mu        sync.Mutex
	processes []*Process
}

func (v *service) start(ctx context.Context, s *Stack, run func(context.Context) ([]*Process, error)) error {
	if s.shared {
		return errShared
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	if len(v.processes) > 0 {
		if v.processes[len(v.processes)-1].Running() {
			return nil
		}
		// The main process died; its helpers make room for new ones.
		if err := v.halt(ctx); err != nil {
			return err
		}
	}
	processes, err := run(ctx)
	if err != nil {
		return err
	}
	v.processes = processes
	return nil
}

func (v *service) stop(ctx context.Context, s *Stack) error {
	if s.shared {
		return errShared
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.halt(ctx)
}

// halt ends the processes, the main one first.
func (v *service) halt(ctx context.Context) error {
	var errs []error
	for _, p := range slices.Backward(v.processes) {
		errs = append(errs, p.Stop(ctx))
	}
	v.processes = nil
	return errors.Join(errs...)
}

func (v *service) current() *Process {
	v.mu.Lock()
	defer v.mu.Unlock()
	if len(v.processes) == 0 {
		return nil
	}
	return v.processes[len(v.processes)-1]
}
