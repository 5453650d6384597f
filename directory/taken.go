package directory

// Taken says whether a call has come to a node, or is over: what is asked about it has been answered then, and the answer
// was obeyed. A call that is only decided, or never heard of, is not.
func (c *Calls) Taken(call string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if _, ended := c.ended[call]; ended {
		return true
	}
	had := c.calls[call]
	return had != nil && had.live.Node != ""
}
