package fstest

import "time"

// confirmRead is how long a leg that must key is listened to before its file is played again
// (switch_ivr_originate.c, confirm_read_timeout).
const confirmRead = 5 * time.Second

// confirmKey is what a leg must key before its answer counts; empty: nothing.
func (c *channel) confirmKey() string {
	key, _ := c.vars.get("group_confirm_key")
	return key
}

// confirm plays the leg's file and takes one entry, and notes when that is the key. The leg's own goroutine runs it, until
// the leg is accepted or sent elsewhere (switch_ivr_originate.c, collect_thread_run).
func (c *channel) confirm() {
	key := c.confirmKey()
	file, ok := c.vars.get("group_confirm_file")
	if !ok {
		file = "silence"
	}
	number, _ := c.read(question{least: len(key), most: len(key), first: confirmRead, between: confirmRead, prompt: file})
	if number != key || !c.ready() {
		return
	}
	c.accepted = true
	c.vars.set("group_dial_status", "winner")
	c.vars.unset("group_confirm_key")
	c.vars.unset("group_confirm_file")
	if c.originator != nil {
		c.originator.notify()
	}
}
