package main

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/percipia/eslgo"
	"github.com/percipia/eslgo/command"

	"tandem/esl"
)

// eslHurry is how long a caller in a hurry waits, so that replies come late.
const eslHurry = 30 * time.Microsecond

// eslAnswers counts what callers got.
type eslAnswers struct{ right, wrong, given atomic.Int64 }

// callers has many callers on one connection send commands whose replies name the command, while events come in between.
// One command in eight belongs to a caller who gives up at once: its late reply is nobody else's.
func (c *benchEslCommand) callers(ctx context.Context, plan eslPlan) (figures []figure, err error) {
	child, err := startEslChild(ctx, "node", "--captures", c.Captures)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, child.stop()) }()
	var ours, theirs eslAnswers
	if err := callEsl(ctx, child.address, plan, &ours); err != nil {
		return nil, fmt.Errorf("esl: %w", err)
	}
	if err := callEslgo(ctx, child.address, plan, &theirs); err != nil {
		return nil, fmt.Errorf("eslgo: %w", err)
	}
	fmt.Printf("%d callers on one connection\n", plan.callers)
	fmt.Printf("  esl          %d right replies, %d wrong ones, %d callers gave up\n", ours.right.Load(), ours.wrong.Load(), ours.given.Load())
	fmt.Printf("  eslgo 1.5.2  %d right replies, %d wrong ones, nobody gave up\n", theirs.right.Load(), theirs.wrong.Load())
	if ours.right.Load() == 0 || ours.given.Load() == 0 {
		return nil, errors.New("esl: the measurement measured nothing")
	}
	return []figure{{"esl_misdelivered", float64(ours.wrong.Load())}}, nil
}

// together runs a number of callers and returns the first error.
func together(callers int, call func(caller int) error) error {
	var wg sync.WaitGroup
	failed := make(chan error, callers)
	for caller := range callers {
		wg.Go(func() {
			if err := call(caller); err != nil {
				failed <- err
			}
		})
	}
	wg.Wait()
	close(failed)
	return <-failed
}

func callEsl(ctx context.Context, address string, plan eslPlan, answers *eslAnswers) error {
	c, err := esl.Dial(ctx, esl.Options{Address: address, Password: eslPassword, Events: []string{eslSubscription}, Shards: eslShards})
	if err != nil {
		return err
	}
	defer c.Close()
	return together(plan.callers, func(caller int) error {
		for n := range plan.commands {
			if err := oneEslCall(ctx, c, caller, n, answers); err != nil {
				return err
			}
		}
		return nil
	})
}

// oneEslCall sends an api command or a message by turns.
func oneEslCall(ctx context.Context, c *esl.Conn, caller, n int, answers *eslAnswers) error {
	const leg = "00000000-0000-4000-8000-000000000000"
	id := fmt.Sprintf("call%d/%d", caller, n)
	want := "+OK " + id
	var command esl.Command = esl.Answer(leg, id)
	if n%2 == 0 {
		want = fmt.Sprintf("call%d_%d", caller, n)
		command = esl.GlobalGetvar(want)
	}
	if (caller+n)%8 == 0 {
		hurried, cancel := context.WithTimeout(ctx, eslHurry)
		defer cancel()
		ctx = hurried
	}
	reply, err := c.Send(ctx, command)
	switch {
	case errors.Is(err, context.DeadlineExceeded) && c.Err() == nil:
		answers.given.Add(1)
	case err != nil:
		return err
	case reply.Text == want:
		answers.right.Add(1)
	default:
		answers.wrong.Add(1)
	}
	return nil
}

// callEslgo is a smaller share of the same: one kind of command, and nobody gives up, which would shift all later replies.
func callEslgo(ctx context.Context, address string, plan eslPlan, answers *eslAnswers) error {
	options := eslgo.DefaultInboundOptions
	options.Logger, options.Password = eslgo.NilLogger{}, eslPassword
	c, err := options.Dial(address)
	if err != nil {
		return err
	}
	defer c.Close()
	ctx, cancel := context.WithTimeout(ctx, eslPatience)
	defer cancel()
	return together(plan.callers, func(caller int) error {
		for n := range plan.commands / 10 {
			want := fmt.Sprintf("call%d_%d", caller, n)
			response, err := c.SendCommand(ctx, command.API{Command: "global_getvar", Arguments: want})
			if err != nil {
				return err
			}
			if string(response.Body) == want {
				answers.right.Add(1)
			} else {
				answers.wrong.Add(1)
			}
		}
		return nil
	})
}
