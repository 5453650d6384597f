package directory

// Asked says what is known of a call that is being decided, because it has been asked about before: decided is true when
// Tentative has counted it among its tenant's calls and nothing was heard of it since; taken when a node has taken it, or
// it is over. So a second decision neither counts the call against itself nor speaks about what has happened.
func (c *Calls) Asked(id string) (decided, taken bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if _, ended := c.ended[id]; ended {
		return false, true
	}
	had := c.calls[id]
	if had == nil {
		return false, false
	}
	return had.live.Node == "", had.live.Node != ""
}
