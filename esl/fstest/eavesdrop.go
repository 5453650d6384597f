package fstest

import "time"

// frameTime is how long one frame of sound is: what listens looks at the other channel so often.
const frameTime = 20 * time.Millisecond

// runEavesdrop listens to another channel until either is gone (switch_ivr_async.c, switch_ivr_eavesdrop_session). Messages that
// come meanwhile wait: the loop reads none.
func runEavesdrop(c *channel, data string) {
	other, ok := c.srv.find(data)
	if !ok || other == c {
		return
	}
	for c.ready() && other.up() {
		c.pause(time.Now().Add(frameTime))
	}
}
