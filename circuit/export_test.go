package circuit

// Making counts what is under way: attempts to build a circuit, and flights
// that Dials wait for.
func (c *Client) Making() (attempts, flights int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.attempts), len(c.flights)
}
