package main

import (
	"fmt"
	"io"
	"time"

	"tandem/because"
	"tandem/explain"
)

// replayReport is what the command prints.
type replayReport struct {
	Tenant         string           `json:"tenant"`
	Since          time.Time        `json:"since"`
	Until          time.Time        `json:"until"`
	Under          string           `json:"under"`            // which configuration was tried, in words
	Faults         []string         `json:"faults,omitempty"` // what this release leaves out of the versions that were looked at
	Summary        *explain.Summary `json:"summary"`
	CallsPerSecond float64          `json:"replay_calls_per_s"`
}

// print writes the report for people. Words and numbers may come from phones.
func (r replayReport) print(out io.Writer, words because.Catalog) error {
	s := r.Summary
	fmt.Fprintf(out, "%s of %s from %s until %s, under %s:\n", callsInWords(s.Calls), r.Tenant, stamp(r.Since), stamp(r.Until), r.Under)
	fmt.Fprintf(out, "%d would have gone differently, %d the same, %d cannot be judged.\n", s.Different, s.Same, s.Unfaithful)
	for _, fault := range r.Faults {
		fmt.Fprintf(out, "Left out by this release: %s\n", plain(fault))
	}
	for _, g := range s.Groups {
		fmt.Fprintf(out, "\n%s\n", plain(groupWords(g)))
		for i, e := range g.Examples {
			if i == 0 && e.Difference != nil {
				alike := begunAlike(words, e.Difference)
				reasons(out, words, "was    ", e.Difference.Was[alike:])
				reasons(out, words, "would  ", e.Difference.Would[alike:])
			}
			fmt.Fprintf(out, "  %s  tandem explain %s\n", stamp(e.At), plain(e.Call))
		}
	}
	if s.Ungrouped > 0 {
		fmt.Fprintf(out, "\n%s more went in other ways still, which are not listed.\n", callsInWords(s.Ungrouped))
	}
	_, err := fmt.Fprintf(out, "\nfigure replay_calls %d\nfigure replay_different %d\nfigure replay_unfaithful %d\n%s\n", s.Calls, s.Different, s.Unfaithful,
		figure{"replay_calls_per_s", r.CallsPerSecond})
	return err
}

// groupWords says what is the matter with the calls of a group.
func groupWords(g *explain.Group) string {
	if g.Outcome == explain.Unfaithful {
		return callsInWords(g.Calls) + " cannot be judged. " + g.Words
	}
	where := ""
	if g.Element != "" {
		where = "at " + g.Element + " "
	}
	return callsInWords(g.Calls) + " to " + g.Dialled + ": " + where + g.Words
}

// begunAlike is how many reasons a difference begins with on both sides.
func begunAlike(words because.Catalog, d *explain.Difference) (n int) {
	for n < min(len(d.Was), len(d.Would)) && words.Words(d.Was[n]) == words.Words(d.Would[n]) {
		n++
	}
	return n
}

func reasons(out io.Writer, words because.Catalog, head string, all []because.Reason) {
	for _, why := range all {
		fmt.Fprintf(out, "  %s%s\n", head, plain(words.Words(why)))
	}
}

func stamp(at time.Time) string {
	if at.IsZero() {
		return "-"
	}
	return at.UTC().Format("2006-01-02 15:04:05 UTC")
}

// callsInWords counts calls in words.
func callsInWords(n int) string {
	if n == 1 {
		return "1 call"
	}
	return fmt.Sprintf("%d calls", n)
}
