package esl

import (
	"bytes"
	"context"
	"fmt"

	"github.com/google/uuid"
)

// Background runs an api command on a thread of its own (bgapi) and waits for
// its result, which comes as a BACKGROUND_JOB event: the way for everything
// that takes longer than a moment, such as Originate. Reply.Err says whether
// the job failed; an error, that its outcome is not known. The Job-UUID is made
// here and registered before the command is written, so that the fastest job
// finds its waiter.
//
// It waits for the acknowledgement as Send does, and for the result until ctx
// ends or, when ctx has no deadline, Options.JobTimeout has passed. A result
// that comes after that goes to Options.Handle like any other event.
func (c *Conn) Background(ctx context.Context, cmd API) (Reply, error) {
	if cmd.err != nil {
		return Reply{}, cmd.err
	}
	if _, bounded := ctx.Deadline(); !bounded {
		limited, cancel := context.WithTimeout(ctx, c.o.JobTimeout)
		defer cancel()
		ctx = limited
	}
	id := uuid.NewString()
	result := make(chan Reply, 1)
	c.jobMu.Lock()
	c.jobs[id] = result
	c.jobMu.Unlock()
	defer func() {
		c.jobMu.Lock()
		delete(c.jobs, id)
		c.jobMu.Unlock()
	}()

	ack, err := c.roundTrip(ctx, "bgapi "+cmd.line+"\nJob-UUID: "+id+"\n\n", false)
	if err == nil {
		err = ack.Err()
	}
	if err != nil {
		return Reply{}, err
	}
	select {
	case r := <-result:
		return r, nil
	case <-ctx.Done():
		err = fmt.Errorf("esl: waiting for job: %w", ctx.Err())
	case <-c.done:
		err = c.Err()
	}
	select { // it may have come in the same moment
	case r := <-result:
		return r, nil
	default:
		return Reply{}, err
	}
}

// job gives a BACKGROUND_JOB to the Background call that waits for it.
func (c *Conn) job(e *Event) bool {
	id := e.Get("Job-UUID")
	c.jobMu.Lock()
	result := c.jobs[id]
	delete(c.jobs, id)
	c.jobMu.Unlock()
	if result == nil {
		return false
	}
	result <- bodyReply(bytes.Clone(e.Body()))
	e.Release()
	c.count.jobs.Add(1)
	return true
}
