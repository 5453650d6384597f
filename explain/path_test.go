package explain

import (
	"slices"
	"testing"

	"tandem/callflows"
)

// A canvas draws a call's path by the flow, the element and the exit of each line: over a jump to another flow, and to an exit that
// leads nowhere. A dry run and the explanation of the call that was made tell the same.
func TestThePathOfACallIsTold(t *testing.T) {
	s := shop(t, elements{"a": element("menu", `{"prompt":"tone:menu"}`, "1", "b"), "b": element("jump", `{"flow":"day"}`)})
	words, err := callflows.Reasons()
	if err != nil {
		t.Fatal(err)
	}
	q := asks(func(q *Question) { q.NobodyAnswers = true })
	made := Call(words, "c", play(t, s, q), nil)
	dry := DryRun(words, s, q)
	want := []string{"main/a:1", "main/b:", "day/ring:no_answer"}
	for name, x := range map[string]Explanation{"the call": made, "the dry run": dry} {
		var path []string
		for _, l := range x.Lines {
			if l.Element != "" && l.Flow == "" {
				t.Errorf("%s: a line of the element %s has no flow: %s", name, l.Element, l.Words)
			}
			at := l.Flow + "/" + l.Element
			if l.Exit != "" || l.Code == "jumped" {
				path = append(path, at+":"+l.Exit)
			}
		}
		if !slices.Equal(path, want) {
			t.Errorf("%s went %q, want %q", name, path, want)
		}
	}
}
