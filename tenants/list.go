package tenants

// List is a list of numbers, names or whatever a flow compares with: customers with priority, areas served.
type List struct {
	ID   string `json:"id"`
	Name string `json:"name"`
	// Entries are texts; one that ends in * stands for all that begin with what is before it: "+4420*".
	Entries []string `json:"entries"`

	entries map[string]bool // made with the snapshot
	longest int             // bytes of the longest entry
}

// index makes the list fit to be asked.
func (l *List) index() {
	l.entries, l.longest = make(map[string]bool, len(l.Entries)), 0
	for _, e := range l.Entries {
		l.entries[e] = true
		l.longest = max(l.longest, len(e))
	}
}

// Match finds the entry that a value is in the list by: the value itself, or else the longest beginning. An empty value is
// in no list.
func (l *List) Match(value string) (entry string, found bool) {
	if value == "" {
		return "", false
	}
	if l.entries[value] {
		return value, true
	}
	for n := min(len(value), l.longest); n >= 0; n-- {
		if e := value[:n] + "*"; l.entries[e] {
			return e, true
		}
	}
	return "", false
}
