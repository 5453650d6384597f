package main

import (
	"context"
	"strconv"
	"strings"
)

// eslPlayerCommand is the media node of the comparisons, a process of its own. It says its address on standard output and
// ends with its standard input.
//
// It answers each command so that the answer can be recognised, and plays recorded events on request:
//
//	api global_getvar play_N   N, then all recorded events N times, as fast as the client reads
//	api global_getvar X        X
//	sendmsg with event-uuid    +OK and that id
type eslPlayerCommand struct {
	Captures string `required:"" type:"path"`
}

// Run serves until standard input ends.
func (c *eslPlayerCommand) Run(ctx context.Context) error {
	sessions, err := eslCaptures(c.Captures)
	if err != nil {
		return err
	}
	return serveEsl(func(conn *eslServed) error {
		reel, err := newReel(sessions)
		if err != nil {
			return err
		}
		return conn.serve((&eslPlayer{eslServed: conn, reel: reel}).answer)
	})
}

// eslPlay and a number ask the player for events, by the name of a global variable.
const eslPlay = "play_"

// eslPlayer plays to one client.
type eslPlayer struct {
	*eslServed
	reel     *eslReel
	answered int // commands
}

// eslBetween is after how many answers an event is written, so that clients have to tell replies from events.
const eslBetween = 16

func (p *eslPlayer) answer(command []string) error {
	variable, isGet := strings.CutPrefix(command[0], "api global_getvar ")
	switch {
	case strings.HasPrefix(command[0], "event "):
		p.reply("+OK event listener enabled plain")
		return nil
	case isGet && strings.HasPrefix(variable, eslPlay):
		passes, err := strconv.Atoi(variable[len(eslPlay):])
		if err != nil {
			return err
		}
		p.response(variable)
		for range passes {
			p.write(p.reel.next())
		}
		return nil
	case isGet:
		p.response(variable)
	default:
		p.reply("+OK " + eslField(command, "event-uuid"))
	}
	if p.answered++; p.answered%eslBetween == 0 {
		p.write(p.reel.first)
	}
	return nil
}
